//! A real Hudson 1.395, the last common ancestor of Hudson and Jenkins, on a free loopback port: with security and
//! crumbs on, a Subversion repository beside it, and its jobs already in place. Gone with the tests.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::LazyLock;

use super::api::RUNTIME;
use super::built;
use super::keeper::{self, Keeper};
use super::wait;

/// Jobs that only have to be there.
pub const CROWD: usize = 1_000;
/// What Java 17 hides from a program of 2011.
const OPENED: &[(&str, &[&str])] = &[
    (
        "java.base",
        &[
            "java.lang",
            "java.lang.reflect",
            "java.util",
            "java.util.zip",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "java.io",
            "java.net",
            "java.text",
            "java.security",
            "sun.security.x509",
            "sun.security.util",
            "sun.reflect.misc",
        ],
    ),
    ("java.desktop", &["java.awt", "java.awt.font", "java.beans"]),
];
const CONFIG: &str = r#"<hudson><version>1.395</version><numExecutors>8</numExecutors><mode>NORMAL</mode><useSecurity>true</useSecurity>
<authorizationStrategy class="hudson.security.FullControlOnceLoggedInAuthorizationStrategy"/>
<securityRealm class="hudson.security.HudsonPrivateSecurityRealm"><disableSignup>true</disableSignup></securityRealm>
<quietPeriod>0</quietPeriod><slaveAgentPort>-1</slaveAgentPort>
<crumbIssuer class="hudson.security.csrf.DefaultCrumbIssuer"><excludeClientIPFromCrumb>false</excludeClientIPFromCrumb></crumbIssuer></hudson>"#;
/// The hash is of `secret{salt}`.
const ADMIN: &str = "<user><fullName>admin</fullName><properties><hudson.security.HudsonPrivateSecurityRealm_-Details><passwordHash>salt:HASH</passwordHash></hudson.security.HudsonPrivateSecurityRealm_-Details></properties></user>";
/// Starts the job `hooked-git` from a script.
pub const JOB_TOKEN: &str = "hunter2-of-the-job";
pub const USER: &str = "admin";
pub const PASSWORD: &str = "secret";

pub struct Hudson {
    folder: PathBuf,
    port: u16,
    _server: Keeper,
    _remover: Child,
}

impl Hudson {
    /// The one that all tests of a binary share, each with its own jobs.
    ///
    /// # Panics
    /// When it is not installed, with the command that does it.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Hudson> = LazyLock::new(Hudson::start);
        &SHARED
    }

    fn start() -> Self {
        let programs = built::folder("tests/hudson/install");
        let folder = tempfile::Builder::new()
            .prefix("rolldeck-hudson-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let remover = keeper::remove_at_the_end(&folder);
        repository(&folder.join("svn"));
        repository(&folder.join("hooked"));
        plant(&folder);
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let log = folder.join("hudson.log");
        let server = Keeper::start(
            Path::new("java"),
            &arguments(&programs, &folder, port),
            &log,
        );
        wait::until("Hudson to be up", || {
            let head = login_page(port)?;
            // It answers in HTTP/1.0 what is asked in it.
            head.contains(" 200 OK").then_some(())
        });
        Self {
            folder,
            port,
            _server: server,
            _remover: remover,
        }
    }

    /// A Subversion repository of which the job `hooked-svn` builds each commit that it is told of.
    pub fn hooked(&self) -> PathBuf {
        self.folder.join("hooked")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// As the settings name it, with this job for the service `web`; `CI_TOKEN` is [`PASSWORD`].
    pub fn settings(&self, job: &str) -> String {
        format!(
            "jenkins: [{{name: ci, url: 'http://127.0.0.1:{}', user: {USER}, token: {{env: CI_TOKEN}}, jobs: {{list: {{web: {job}}}}}}}]\n",
            self.port
        )
    }

    /// A job of the test's own. A server that has just begun may refuse it, with everything else.
    pub fn create(&self, name: &str, xml: &str) {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let client = client.build().expect("a client");
        let at = |path: &str| format!("http://127.0.0.1:{}/{path}", self.port);
        let login = |request: reqwest::RequestBuilder| request.basic_auth(USER, Some(PASSWORD));
        wait::until(&format!("the job {name}"), || {
            RUNTIME.block_on(async {
                let crumb = login(client.get(at("crumbIssuer/api/json"))).send().await;
                let crumb = crumb.ok()?.bytes().await.ok()?;
                let crumb: serde_json::Value = serde_json::from_slice(&crumb).ok()?;
                let made = login(client.post(at(&format!("createItem?name={name}"))))
                    .header(
                        crumb["crumbRequestField"].as_str()?,
                        crumb["crumb"].as_str()?,
                    )
                    .header("content-type", "text/xml")
                    .body(xml.to_owned())
                    .send()
                    .await;
                made.ok()?.status().is_success().then_some(())
            })
        });
    }

    /// Lets the builds go on that wait at this gate.
    pub fn open(&self, gate: &str) {
        keeper::write(&self.folder.join(gate), "");
    }

    /// Commits a folder of this name to the repository; gives the revision.
    pub fn commit(&self, name: &str, message: &str) {
        let url = format!("file://{}/svn/trunk/{name}", self.folder.display());
        run(
            "svn",
            &["mkdir", "-q", "--username", "alice", "-m", message, &url],
        );
    }
}

fn arguments(programs: &Path, home: &Path, port: u16) -> Vec<String> {
    let mut arguments = Vec::new();
    for (module, packages) in OPENED {
        for package in *packages {
            arguments.push("--add-opens".to_owned());
            arguments.push(format!("{module}/{package}=ALL-UNNAMED"));
        }
    }
    let rest = [
        "-Xmx320m".to_owned(),
        "-XX:+UseSerialGC".to_owned(),
        "-XX:TieredStopAtLevel=1".to_owned(),
        "-Djava.awt.headless=true".to_owned(),
        // Without it a stopped build ends in a LinkageError on this Java.
        "-Dhudson.util.ProcessTree.disable=true".to_owned(),
        format!("-DHUDSON_HOME={}", home.display()),
        "-cp".to_owned(),
        programs.display().to_string(),
        "Launch".to_owned(),
        programs.join("hudson.war").display().to_string(),
        format!("--httpPort={port}"),
        "--httpListenAddress=127.0.0.1".to_owned(),
        "--httpsPort=-1".to_owned(),
        "--ajp13Port=-1".to_owned(),
    ];
    arguments.extend(rest);
    arguments
}

fn login_page(port: u16) -> Option<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request = "GET /login HTTP/1.0\r\nHost: localhost\r\n\r\n";
    socket.write_all(request.as_bytes()).ok()?;
    let mut head = [0; 64];
    let read = socket.read(&mut head).ok()?;
    Some(String::from_utf8_lossy(&head[..read]).into_owned())
}

/// In the format of 1.5: what Hudson's own Subversion can read.
pub fn repository(folder: &Path) {
    let path = folder.display().to_string();
    run(
        "svnadmin",
        &["create", "--compatible-version", "1.5", &path],
    );
    let trunk = format!("file://{path}/trunk");
    run("svn", &["mkdir", "-q", "-m", "Begin", &trunk]);
}

fn plant(home: &Path) {
    write(&home.join("config.xml"), CONFIG);
    let hash = ring::digest::digest(&ring::digest::SHA256, b"secret{salt}");
    let hex = hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    write(
        &home.join("users/admin/config.xml"),
        &ADMIN.replace("HASH", &hex),
    );
    let at = |gate: &str| {
        format!(
            "while [ ! -e {}/{gate} ]; do sleep 0.1; done",
            home.display()
        )
    };
    let report = r#"mkdir -p rep; echo "hello $TAG"; echo "r:5000/shop/web:$TAG" > image.txt
echo '&lt;testsuite&gt;&lt;testcase classname="a" name="b"/&gt;&lt;testcase classname="a" name="c"&gt;&lt;failure/&gt;&lt;/testcase&gt;&lt;/testsuite&gt;' > rep/t.xml; touch rep/t.xml"#;
    let job = |name: &str, text: String| {
        write(&home.join(format!("jobs/{name}/config.xml")), &text);
    };
    job("report", project(PARAMETERS, NO_SCM, report, PUBLISHERS));
    job("console", project(PARAMETERS, NO_SCM, report, PUBLISHERS));
    job("typed", project(PARAMETERS, NO_SCM, report, PUBLISHERS));
    job("held", project(ONE_PARAMETER, NO_SCM, "true", ""));
    job(
        "held-typed",
        project(ONE_PARAMETER, NO_SCM, &at("held-gate"), ""),
    );
    job("contract-held", project(ONE_PARAMETER, NO_SCM, "true", ""));
    job("choosy", project(PARAMETERS, NO_SCM, "true", ""));
    job(
        "twins",
        project(ONE_PARAMETER, NO_SCM, &at("twins-gate"), ""),
    );
    let talks = format!(
        "echo first; {}; for i in 1 2 3; do echo line $i; done",
        at("talk-gate")
    );
    job("talks", project(ONE_PARAMETER, NO_SCM, &talks, ""));
    job("endless", project("", NO_SCM, &at("never"), ""));
    job("waits", project(ONE_PARAMETER, NO_SCM, &at("never"), ""));
    job(
        "source",
        project("", &of_svn(&home.join("svn")), "true", ""),
    );
    let hooked = told_of_svn(&home.join("hooked"));
    job("hooked-svn", project("", &hooked, "true", ""));
    let open = format!("<authToken>{JOB_TOKEN}</authToken>{NO_SCM}");
    job("hooked-git", project(COMMIT, &open, "echo $GIT_COMMIT", ""));
    job("off", project(ONE_PARAMETER, NO_SCM, "true", ""));
    job(
        "contract-stop",
        project(ONE_PARAMETER, NO_SCM, &at("never"), ""),
    );
    job(
        "contract-log",
        project(ONE_PARAMETER, NO_SCM, &at("contract-gate"), ""),
    );
    job("contract-off", project(ONE_PARAMETER, NO_SCM, "true", ""));
    for number in 0..CROWD {
        job(
            &format!("crowd-{number:04}"),
            project("", NO_SCM, "true", ""),
        );
    }
}

pub const NO_SCM: &str = r#"<scm class="hudson.scm.NullSCM"/>"#;
pub const COMMIT: &str = "<hudson.model.StringParameterDefinition><name>GIT_COMMIT</name><description/><defaultValue>main</defaultValue></hudson.model.StringParameterDefinition>";
const ONE_PARAMETER: &str = "<hudson.model.StringParameterDefinition><name>N</name><description/><defaultValue>0</defaultValue></hudson.model.StringParameterDefinition>";
const PARAMETERS: &str = r#"<hudson.model.StringParameterDefinition><name>TAG</name><description>what to tag</description><defaultValue>1.0</defaultValue></hudson.model.StringParameterDefinition>
<hudson.model.ChoiceParameterDefinition><name>PLACE</name><description/><choices class="java.util.Arrays$ArrayList"><a class="string-array"><string>dev</string><string>prod</string></a></choices></hudson.model.ChoiceParameterDefinition>
<hudson.model.BooleanParameterDefinition><name>FAST</name><description/><defaultValue>true</defaultValue></hudson.model.BooleanParameterDefinition>
<hudson.model.PasswordParameterDefinition><name>PASS</name><description/></hudson.model.PasswordParameterDefinition>"#;
const PUBLISHERS: &str = "<hudson.tasks.junit.JUnitResultArchiver><testResults>rep/*.xml</testResults><keepLongStdio>false</keepLongStdio><testDataPublishers/></hudson.tasks.junit.JUnitResultArchiver><hudson.tasks.ArtifactArchiver><artifacts>image.txt</artifacts><latestOnly>false</latestOnly></hudson.tasks.ArtifactArchiver>";

/// Builds the trunk of this repository.
fn of_svn(repository: &Path) -> String {
    format!(
        r#"<scm class="hudson.scm.SubversionSCM"><locations><hudson.scm.SubversionSCM_-ModuleLocation><remote>file://{}/trunk</remote><local>.</local></hudson.scm.SubversionSCM_-ModuleLocation></locations><useUpdate>true</useUpdate></scm>"#,
        repository.display()
    )
}

/// The same at each commit that its hook tells of.
pub fn told_of_svn(repository: &Path) -> String {
    let scm = of_svn(repository);
    format!(
        r#"{scm}<triggers class="vector"><hudson.triggers.SCMTrigger><spec>0 0 1 1 *</spec></hudson.triggers.SCMTrigger></triggers>"#
    )
}

/// A free-style job; `command` is XML already.
pub fn project(parameters: &str, scm: &str, command: &str, publishers: &str) -> String {
    let properties = match parameters {
        "" => String::new(),
        parameters => format!(
            "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>{parameters}</parameterDefinitions></hudson.model.ParametersDefinitionProperty>"
        ),
    };
    format!(
        "<project><actions/><description>made by a test</description><properties>{properties}</properties>{scm}<quietPeriod>0</quietPeriod><builders><hudson.tasks.Shell><command>{command}</command></hudson.tasks.Shell></builders><buildWrappers/><publishers>{publishers}</publishers></project>"
    )
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("room on the disk");
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|why| panic!("{program}: {why}: run tests/hudson/install"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}
