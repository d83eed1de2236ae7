//! Each piece of evidence alone and against another, and every word of the hooks.

use super::hook::{Wanted, hook};
use super::*;
use crate::domain::build::sample::build;
use crate::domain::build::{Checkout, Outcome, State};
use crate::domain::commit::sample;
use crate::domain::fixture::{ago, now};
use crate::domain::{Commit, Remote};

const TIP: &str = "a1b9e3c2d4f5061728394a5b6c7d8e9f00112233";
const OLD: &str = "77c01d02d4f5061728394a5b6c7d8e9f00112233";

fn of(number: u32, trigger: Trigger, commit: &str, age: i64) -> Build {
    Build {
        trigger,
        started: Some(ago(age)),
        sources: vec![Checkout {
            revision: commit.into(),
            remotes: Vec::new(),
        }],
        ..build(number, State::Done(Outcome::Success))
    }
}

fn head(id: &str, at: Option<Timestamp>) -> Head {
    Head {
        branch: "main".into(),
        id: id.into(),
        at,
    }
}

fn push(builds: Vec<Build>) -> Push {
    Push {
        branch: "main".into(),
        calls: None,
        builds: Ok(builds),
        tip: Ok(Some(head(TIP, None))),
    }
}

fn said(push: &Push) -> (Finding, bool, String) {
    let judged = judge(push, now());
    (judged.finding, judged.hook, judged.sentence)
}

#[test]
fn builds_prove_it_or_do_not() {
    let manual = Build {
        causes: vec!["Started by user ann".into()],
        ..of(9, Trigger::Other, TIP, 60)
    };
    let listed = Build {
        commits: vec![Commit {
            at: Some(ago(250)),
            ..sample(TIP, "x")
        }],
        ..of(9, Trigger::Change, TIP, 240)
    };
    let slow = Build {
        started: Some(ago(60)),
        ..listed.clone()
    };
    let told = Build {
        sources: Vec::new(),
        causes: vec![format!("Started by remote host ::1 with note: push main {TIP}").into()],
        ..of(9, Trigger::Push, "", 240)
    };
    let silent = Build {
        causes: Vec::new(),
        ..told.clone()
    };
    let ok = Finding::Ok;
    let unproven = Finding::Unverified;
    for (builds, finding, want) in [
        (vec![], unproven, "unproven: the job was never built"),
        (
            vec![manual.clone()],
            unproven,
            "unproven: none of its last 1 build was started by a push (#9: Started by user ann)",
        ),
        (
            vec![manual.clone(), of(8, Trigger::Push, TIP, 240)],
            ok,
            "reaches: #8, started by a push 4m ago, built the newest commit of main, a1b9e3c",
        ),
        (
            vec![manual, of(8, Trigger::Push, OLD, 240)],
            unproven,
            "unproven: the newest commit of main, a1b9e3c, was not built by a push: the last that was is #8, started by a push 4m ago",
        ),
        (
            vec![listed],
            ok,
            "reaches: #9, started by a change 4m ago, built the newest commit of main, a1b9e3c, 10s after it",
        ),
        (
            vec![slow],
            unproven,
            "unproven: #9, started by a change 1m ago, built the newest commit of main, a1b9e3c, 3m10s after it: polling finds it as well",
        ),
        (
            vec![of(9, Trigger::Change, TIP, 240)],
            unproven,
            "unproven: #9, started by a change 4m ago, built the newest commit of main, a1b9e3c: polling finds it as well",
        ),
        (
            vec![told],
            ok,
            "reaches: #9, started by a push 4m ago, built the newest commit of main, a1b9e3c",
        ),
        (
            vec![silent],
            unproven,
            "unproven: #9, started by a push 4m ago, and which commit it built is not told",
        ),
    ] {
        let hook = finding != ok;
        assert_eq!(said(&push(builds)), (finding, hook, want.to_owned()));
    }
}

#[test]
fn what_cannot_be_asked_is_said() {
    let built = || vec![of(8, Trigger::Push, TIP, 240)];
    let mut unknown = push(built());
    unknown.tip = Err("h/cart: no answer within 20s".into());
    assert_eq!(
        said(&unknown).2,
        "reaches: #8, started by a push 4m ago; whether it is the newest commit is not known: h/cart: no answer within 20s"
    );
    unknown.tip = Ok(None);
    assert_eq!(said(&unknown).2, "unproven: there is no branch main");
    unknown.builds = Err("read the builds: no answer within 20s".into());
    assert_eq!(
        said(&unknown).2,
        "unproven: read the builds: no answer within 20s"
    );
    // A checkout of Subversion counts what is committed elsewhere.
    let mut svn = push(vec![of(8, Trigger::Change, "9", 240)]);
    svn.tip = Ok(Some(head("r7", Some(ago(243)))));
    assert_eq!(
        said(&svn).2,
        "reaches: #8, started by a change 4m ago, built the newest commit of main, r7, 3s after it"
    );
    let unknown = Build {
        sources: Vec::new(),
        ..of(8, Trigger::Change, "", 240)
    };
    svn.builds = Ok(vec![unknown]);
    assert_eq!(
        said(&svn).2,
        "reaches: #8, started by a change 4m ago, 3s after the newest commit of main, r7"
    );
    for later in [ago(239), ago(900)] {
        svn.tip = Ok(Some(head("r7", Some(later))));
        assert!(said(&svn).2.ends_with("which commit it built is not told"));
    }
    svn.builds = Ok(vec![of(8, Trigger::Change, "9", 240)]);
    svn.tip = Ok(Some(head("r10", Some(ago(1)))));
    assert!(
        said(&svn)
            .2
            .starts_with("unproven: the newest commit of main, r10,")
    );
}

#[test]
fn the_host_tells_of_its_calls() {
    let call = |status| {
        let call = Delivery {
            at: Some(ago(180)),
            event: "push".into(),
            status,
        };
        Some(Ok(HookCalls::Last(call)))
    };
    let of_push = |calls| Push {
        calls,
        ..push(vec![of(8, Trigger::Push, TIP, 240)])
    };
    let never = |calls| Push {
        calls,
        ..push(Vec::new())
    };
    let proof = "#8, started by a push 4m ago, built the newest commit of main, a1b9e3c";
    let denied = || Some(Err("h/cart: the host does not let a guest read this".into()));
    for (push, finding, hook, want) in [
        (
            of_push(call(Some(200))),
            Finding::Ok,
            false,
            format!("reaches: the host called its hook (push) 3m ago and was answered 200; {proof}"),
        ),
        (
            never(call(Some(200))),
            Finding::Unverified,
            false,
            "unproven: the host called its hook (push) 3m ago and was answered 200, but the job was never built".into(),
        ),
        (
            of_push(call(Some(500))),
            Finding::Warn,
            true,
            "does not reach: the host called its hook (push) 3m ago and was answered 500".into(),
        ),
        (
            of_push(call(None)),
            Finding::Warn,
            true,
            "does not reach: the host called its hook (push) 3m ago and nothing came back".into(),
        ),
        (
            of_push(Some(Ok(HookCalls::NoHook))),
            Finding::Ok,
            false,
            format!("reaches: {proof}"),
        ),
        (
            never(Some(Ok(HookCalls::NoHook))),
            Finding::Unverified,
            true,
            "unproven: no hook of the host calls this server, and the job was never built".into(),
        ),
        (
            never(Some(Ok(HookCalls::NoCall))),
            Finding::Unverified,
            false,
            "unproven: the host has a hook and tells of no call of it lately, and the job was never built".into(),
        ),
        (of_push(denied()), Finding::Ok, false, format!("reaches: {proof}")),
        (
            never(denied()),
            Finding::Unverified,
            true,
            "unproven: the job was never built; of calls: h/cart: the host does not let a guest read this".into(),
        ),
    ] {
        assert_eq!(said(&push), (finding, hook, want));
    }
}

fn wanted(remote: &Remote) -> Wanted<'_> {
    Wanted {
        remote,
        branch: "main",
        server: "https://ci.corp/jenkins",
        job_url: "https://ci.corp/jenkins/job/shop/job/cart",
        job: "shop/cart",
        hudson: false,
        checks_out: None,
        parameters: Vec::new(),
    }
}

#[test]
fn hosts_are_given_an_address_and_the_steps() {
    for (url, page, address) in [
        (
            "git@github.com:shop/cart.git",
            "https://github.com/shop/cart/settings/hooks/new",
            "Payload URL: https://ci.corp/jenkins/github-webhook/ (",
        ),
        (
            "https://gitlab.corp/shop/cart",
            "https://gitlab.corp/shop/cart/-/hooks",
            "URL: https://ci.corp/jenkins/project/shop/cart",
        ),
        (
            "https://gitee.com/shop/cart",
            "https://gitee.com/shop/cart/hooks",
            "URL: https://ci.corp/jenkins/gitee-project/shop/cart",
        ),
    ] {
        let remote = Remote::parse(url).unwrap();
        let told = hook(&wanted(&remote));
        assert_eq!(told.script, None);
        assert!(told.steps[1].ends_with(page), "{:?}", told.steps);
        assert!(told.steps[2].starts_with(address), "{:?}", told.steps);
        let old = Wanted {
            hudson: true,
            ..wanted(&remote)
        };
        assert!(hook(&old).steps[0].starts_with("Hudson has no plugin"));
    }
}

#[test]
fn scripts_hold_the_addresses_and_no_secret() {
    let remote = Remote::parse("/srv/git/cart.git").unwrap();
    let plain = hook(&wanted(&remote)).script.unwrap();
    assert_eq!(plain.file, "hooks/post-receive");
    for part in [
        "[ \"$ref\" = refs/heads/main ]",
        "--data-urlencode 'cause=push main '\"$new\"",
        "https://ci.corp/jenkins/job/shop/job/cart/build ||",
        "-K \"$(dirname \"$0\")/jenkins.curl\"",
    ] {
        assert!(plain.text.contains(part), "{part}: {}", plain.text);
    }
    let asks = Wanted {
        parameters: vec!["GIT_COMMIT", "BRANCH", "TAG"],
        branch: "it's; $(rm)",
        ..wanted(&remote)
    };
    let asks = hook(&asks).script.unwrap().text;
    for part in [
        r"= 'refs/heads/it'\''s; $(rm)' ]",
        "--data-urlencode GIT_COMMIT=\"$new\"",
        r"--data-urlencode 'BRANCH=it'\''s; $(rm)'",
        "/buildWithParameters ||",
    ] {
        assert!(asks.contains(part), "{part}: {asks}");
    }
    let polled = Wanted {
        checks_out: Some("https://git.corp/shop/cart"),
        ..wanted(&remote)
    };
    let polled = hook(&polled).script.unwrap().text;
    assert!(polled.contains("https://ci.corp/jenkins/git/notifyCommit ||"));
    assert!(polled.contains("--data-urlencode url=https://git.corp/shop/cart"));
    let remote = Remote::parse("svn://host/shop/trunk").unwrap();
    let svn = hook(&wanted(&remote)).script.unwrap();
    assert_eq!(svn.file, "hooks/post-commit");
    assert!(svn.text.contains("server=https://ci.corp/jenkins login="));
}
