//! The rules of the house that no compiler checks, each with a planted example that it must catch.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::Visit;

/// Lines of a file without its tests, and of a function.
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 80;

/// Which room may use which; a room may always use itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("text", &["domain"]),
    ("config", &["domain"]),
    ("sources", &["domain", "config"]),
    ("plan", &["domain", "text"]),
    ("actions", &["domain", "plan", "sources"]),
    (
        "engine",
        &[
            "domain", "text", "config", "sources", "plan", "actions", "app",
        ],
    ),
    ("app", &["domain", "text", "config", "plan"]),
    ("ui", &["app", "domain", "text", "config", "plan"]),
    ("tui", &["app", "ui", "engine", "config", "domain"]),
    ("demo", &["domain", "config"]),
    (
        "cli",
        &[
            "domain", "text", "config", "sources", "plan", "actions", "engine", "app", "ui", "tui",
            "demo",
        ],
    ),
];
/// The parts of `app` that the engine may see.
const APP_FOR_ENGINE: &[&str] = &["effect", "event", "Effect", "Event"];
/// No clock, channel, task or await.
const PURE: &[&str] = &["domain", "text", "plan", "app", "ui"];
const IMPURE: &[&str] = &[
    "tokio",
    "async",
    "await",
    "mpsc",
    "Mutex",
    "RefCell",
    "Instant",
    "SystemTime",
];
const IMPURE_STD: &[&str] = &["fs", "env", "net", "process", "thread"];
/// The write calls of the sources.
const WRITES: &[&str] = &[
    "patch",
    "delete",
    "evict",
    "trigger_build",
    "stop_build",
    "cancel_queued",
    "set_enabled",
    "describe_job",
    "build_folder",
    "push_to_registry",
    "copy_image",
];
const ROOT: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "assets",
    "tests",
    "README.md",
    "config.yaml.example",
    "target",
];

/// One file: its path from the root with forward slashes, and its text.
#[derive(Clone)]
struct File {
    path: String,
    text: String,
}

impl File {
    /// The room it lies in, or the name of a file directly under `src`.
    fn room(&self) -> Option<&str> {
        self.path.strip_prefix("src/")?.split(['/', '.']).next()
    }

    /// Where its child modules lie.
    fn base(&self) -> String {
        let path = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        path.strip_suffix("/mod").unwrap_or(path).to_owned()
    }

    fn is_source(&self) -> bool {
        self.path.starts_with("src/") && has_ending(&self.path, "rs")
    }

    fn tokens(&self) -> TokenStream {
        self.text
            .parse()
            .unwrap_or_else(|e| panic!("{}: {e}", self.path))
    }
}

/// A token without its place in a tree: groups are opened, and closed by their bracket.
#[derive(Debug, Clone)]
struct Token {
    text: String,
    line: usize,
}

#[test]
fn every_room_uses_only_what_it_may() {
    assert_tidy(|file| in_code(file, imports));
    let bad = [
        ("src/domain/x.rs", "use crate::ui::View;"),
        ("src/text/x.rs", "use crate::{domain::Pod, plan::Plan};"),
        ("src/plan/mod.rs", "use super::sources::kube;"),
        (
            "src/plan/verbs/x.rs",
            "fn f() { super::super::super::tui::run() }",
        ),
        ("src/engine/x.rs", "use crate::app::model::Model;"),
        ("src/engine/x.rs", "use crate::app::{Effect, Model};"),
        ("src/ui/x.rs", "fn f() { vec![crate::engine::clock()]; }"),
    ];
    for (path, text) in bad {
        assert_caught(|file| in_code(file, imports), path, text);
    }
    let good =
        "use crate::app::{event::{Event, JobId}, Effect}; use crate::plan::Plan; use super::plan;";
    assert_eq!(
        in_code(&planted("src/engine/x.rs", good), imports),
        Vec::<String>::new()
    );
}

#[test]
fn crossterm_and_kube_stay_in_their_rooms() {
    assert_tidy(|file| in_code(file, fences));
    for (path, text) in [
        ("src/app/model.rs", "use crossterm::event::KeyCode;"),
        ("src/engine/x.rs", "use kube::Client;"),
        ("src/actions/x.rs", "fn f(c: kube::Client) {}"),
        ("src/domain/x.rs", "use k8s_openapi::Metadata;"),
    ] {
        assert_caught(|file| in_code(file, fences), path, text);
    }
    let own = planted(
        "src/actions/x.rs",
        "use crate::sources::kube; fn f(c: kube::Cluster) {}",
    );
    assert_eq!(in_code(&own, fences), Vec::<String>::new());
}

#[test]
fn only_the_clock_reads_the_time() {
    assert_tidy(|file| in_code(file, clock));
    assert_caught(
        |file| in_code(file, clock),
        "src/sources/x.rs",
        "fn f() { jiff::Timestamp::now(); }",
    );
}

#[test]
fn the_pure_rooms_are_pure() {
    assert_tidy(|file| in_code(file, purity));
    for text in [
        "async fn f() {}",
        "use tokio::time::sleep;",
        "fn f() { std::fs::read(p); }",
    ] {
        assert_caught(|file| in_code(file, purity), "src/app/x.rs", text);
    }
}

#[test]
fn nothing_panics_on_purpose() {
    assert_tidy(|file| in_code(file, panics));
    for text in [
        "x.unwrap();",
        "x.expect(\"y\");",
        "dbg!(x);",
        "todo!();",
        "unimplemented!();",
    ] {
        assert_caught(
            |file| in_code(file, panics),
            "src/ui/x.rs",
            &format!("fn f() {{ {text} }}"),
        );
    }
    let in_test = planted(
        "src/ui/x.rs",
        "#[cfg(test)] mod tests { fn f() { x.unwrap() } }",
    );
    assert_eq!(in_code(&in_test, panics), Vec::<String>::new());
}

#[test]
fn one_function_writes() {
    assert_tidy(|file| in_code(file, writes));
    for text in [
        "fn f(c: Cluster) { c.patch(p) }",
        "fn f() { Cluster::patch(c) }",
        "fn f(c: Cluster) { c.delete(p) }",
        "fn f(c: Cluster) { c.evict(p) }",
        "fn f(c: Client) { c.trigger_build(p) }",
        "fn f(d: Docker) { d.push_to_registry(p) }",
        "fn f(r: Registries) { r.copy_image(p) }",
        "fn f() { Client::set_enabled(c) }",
        "fn f(c: Cluster) { cluster.create(p) }",
        "fn f() { helm::roll_back(call, true) }",
    ] {
        assert_caught(|file| in_code(file, writes), "src/actions/execute.rs", text);
    }
}

#[test]
fn files_and_functions_are_short() {
    assert_tidy(|file| in_code(file, |file, _| sizes(file)));
    let long = |lines: usize| format!("fn f() {{\n{}}}\n", "x();\n".repeat(lines));
    let catches = |text: &str| sizes(&planted("src/ui/x.rs", text)).len();
    assert_eq!(catches(&long(FUNCTION_LINES)), 1);
    assert_eq!(catches(&long(FUNCTION_LINES - 2)), 0);
    assert_eq!(catches(&"static X: u8 = 1;\n".repeat(FILE_LINES + 1)), 1);
    let tested = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", long(FILE_LINES));
    assert_eq!(catches(&tested), 0);
}

#[test]
fn every_file_says_what_it_is() {
    assert_tidy(opening);
    for text in ["use x;", "//!", "//! words without an end\nuse x;"] {
        assert_caught(opening, "src/ui/x.rs", text);
    }
}

#[test]
fn the_root_holds_only_what_it_must() {
    let entries = std::fs::read_dir(root())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(strangers(entries), Vec::<String>::new());
    assert_eq!(
        strangers(["notes.md".into(), ".ci".into(), "LICENSE-MIT".into()].into_iter()),
        ["notes.md"]
    );
}

#[test]
fn every_dependency_has_a_reason() {
    assert_eq!(reasonless(&read("Cargo.toml")), Vec::<String>::new());
    let bad = "[dependencies]\nserde = \"1\" # wire\nleftpad = \"1\"\n[profile.dev]\ndebug = 1\n";
    assert_eq!(reasonless(bad), ["leftpad = \"1\""]);
}

/// Where a property failed, proptest would leave a file at the root.
#[test]
fn a_failed_property_leaves_no_file() {
    let config = proptest::test_runner::Config::default();
    assert!(
        config.failure_persistence.is_none(),
        "see .cargo/config.toml"
    );
}

#[test]
fn one_tls_provider() {
    let has_other = |lock: &str| lock.contains("name = \"aws-lc");
    assert!(!has_other(&read("Cargo.lock")));
    assert!(has_other("[[package]]\nname = \"aws-lc-rs\"\n"));
}

#[test]
fn nothing_points_out_of_the_repository() {
    assert_tidy(leaks);
    for text in [
        concat!("../sha", "red/x"),
        concat!("/wo", "rk/x"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ] {
        assert_caught(leaks, "README.md", text);
    }
}

/// Runs a rule of code over a source file without its tests; other files pass.
fn in_code(file: &File, rule: fn(&File, &[Token]) -> Vec<String>) -> Vec<String> {
    if !file.is_source() {
        return Vec::new();
    }
    let mut tokens = Vec::new();
    flatten(without_tests(file.tokens()).0, &mut tokens);
    rule(file, &tokens)
}

fn imports(file: &File, tokens: &[Token]) -> Vec<String> {
    let room = file.room().unwrap_or_default();
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return Vec::new();
    };
    let depth = file.base().split('/').count() - 1;
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        for named in crate_paths(tokens, at, depth) {
            let [other, rest @ ..] = &*named else {
                continue;
            };
            let is_room = ROOMS.iter().any(|(name, _)| name == other);
            let part = rest.first().map_or("", String::as_str);
            let hidden = room == "engine" && other == "app" && !APP_FOR_ENGINE.contains(&part);
            if is_room && other != room && (!allowed.contains(&&**other) || hidden) {
                found.push(format!(
                    "line {}: {room} may not use {}",
                    tokens[at].line,
                    named.join("::")
                ));
            }
        }
    }
    found
}

fn fences(file: &File, tokens: &[Token]) -> Vec<String> {
    let texts: Vec<_> = tokens.iter().map(|t| &*t.text).collect();
    let keys = ["src/ui/", "src/tui/", "src/app/keymap"]
        .iter()
        .any(|at| file.path.starts_with(at));
    let kube = file.path.starts_with("src/sources/kube");
    let own_kube = (0..tokens.len()).flat_map(|at| crate_paths(tokens, at, usize::MAX));
    let own_kube = own_kube
        .into_iter()
        .any(|path| path.starts_with(&["sources".into(), "kube".into()]));
    let foreign = |at: usize| match texts[at] {
        "crossterm" => !keys,
        "k8s_openapi" => !kube,
        "kube" => {
            let root = at == 0 || texts[at - 1] != "::";
            !kube && !own_kube && root && texts.get(at + 1) == Some(&"::")
        }
        _ => false,
    };
    let found = (0..texts.len()).filter(|at| foreign(*at));
    found
        .map(|at| {
            format!(
                "line {}: {} is not for this room",
                tokens[at].line, texts[at]
            )
        })
        .collect()
}

fn clock(file: &File, tokens: &[Token]) -> Vec<String> {
    const CLOCKS: [&str; 5] = ["Timestamp", "Instant", "SystemTime", "Zoned", "Utc"];
    if ["src/engine/clock", "src/demo/clock"]
        .iter()
        .any(|at| file.path.starts_with(at))
    {
        return Vec::new();
    }
    let reads =
        |w: &&[Token]| CLOCKS.contains(&&*w[0].text) && w[1].text == "::" && w[2].text == "now";
    let found = tokens.windows(3).filter(reads);
    found
        .map(|w| format!("line {}: ask engine::clock", w[0].line))
        .collect()
}

fn purity(file: &File, tokens: &[Token]) -> Vec<String> {
    if !file.room().is_some_and(|room| PURE.contains(&room)) {
        return Vec::new();
    }
    let single = tokens.iter().filter(|t| IMPURE.contains(&&*t.text));
    let std = tokens
        .windows(3)
        .filter(|w| w[0].text == "std" && w[1].text == "::" && IMPURE_STD.contains(&&*w[2].text));
    single
        .chain(std.map(|w| &w[2]))
        .map(|t| format!("line {}: {} in a pure room", t.line, t.text))
        .collect()
}

fn panics(_: &File, tokens: &[Token]) -> Vec<String> {
    let bad = |w: &&[Token]| match (&*w[0].text, &*w[1].text, &*w[2].text) {
        (".", "unwrap" | "expect", "(") => true,
        (name, "!", _) => matches!(name, "dbg" | "todo" | "unimplemented"),
        _ => false,
    };
    let found = tokens.windows(3).filter(bad);
    found
        .map(|w| format!("line {}: {}{}", w[0].line, w[0].text, w[1].text))
        .collect()
}

fn writes(file: &File, tokens: &[Token]) -> Vec<String> {
    if file.path.starts_with("src/actions/send") {
        return Vec::new();
    }
    let writes = |w: &&[Token]| {
        let texts = (&*w[0].text, &*w[1].text, &*w[2].text);
        matches!(
            texts,
            (".", name, "(") | ("Cluster" | "Client", "::", name) if WRITES.contains(&name)
        ) || matches!(
            texts,
            // Folders and files are created as well.
            ("Cluster", "::", "create") | ("cluster", ".", "create") | ("helm", "::", "roll_back")
        )
    };
    let found = tokens.windows(3).filter(writes);
    found
        .map(|w| format!("line {}: only actions::send writes", w[0].line))
        .collect()
}

fn sizes(file: &File) -> Vec<String> {
    let tests: usize = without_tests(file.tokens())
        .1
        .iter()
        .map(|(first, last)| last - first + 1)
        .sum();
    let lines = file.text.lines().count() - tests;
    let mut found = Vec::new();
    if lines > FILE_LINES {
        found.push(format!("{lines} lines without tests"));
    }
    let parsed = syn::parse2(without_tests(file.tokens()).0)
        .unwrap_or_else(|e| panic!("{}: {e}", file.path));
    let mut functions = Functions::default();
    functions.visit_file(&parsed);
    found.extend(functions.0);
    found
}

/// The functions that are too long.
#[derive(Default)]
struct Functions(Vec<String>);

impl Functions {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines = block.span().end().line - signature.span().start().line + 1;
        if lines > FUNCTION_LINES {
            self.0
                .push(format!("fn {} has {lines} lines", signature.ident));
        }
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.measure(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.measure(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }
}

fn opening(file: &File) -> Vec<String> {
    if !has_ending(&file.path, "rs") {
        return Vec::new();
    }
    let says = file.text.lines().map_while(|line| line.strip_prefix("//!"));
    let first: Vec<_> = says.take_while(|line| !line.trim().is_empty()).collect();
    let sentence = first.join("");
    let says_it = sentence.starts_with(' ') && sentence.contains('.');
    if says_it {
        Vec::new()
    } else {
        vec!["does not open with one //! sentence".into()]
    }
}

fn strangers(entries: impl Iterator<Item = String>) -> Vec<String> {
    let fine = |name: &String| {
        name.starts_with('.') || name.starts_with("LICENSE") || ROOT.contains(&&**name)
    };
    entries.filter(|name| !fine(name)).collect()
}

fn reasonless(manifest: &str) -> Vec<String> {
    let mut in_dependencies = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies && !line.is_empty() && !line.starts_with('#') {
            let reason = line
                .rsplit_once(" # ")
                .map_or("", |(_, reason)| reason.trim());
            if reason.is_empty() {
                found.push(line.to_owned());
            }
        }
    }
    found
}

/// The words are put together here, so that this file does not catch itself.
fn leaks(file: &File) -> Vec<String> {
    let words = [
        concat!("../sha", "red"),
        concat!("/wo", "rk/"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let found = words.iter().filter(|word| file.text.contains(**word));
    found.map(|word| format!("names {word}")).collect()
}

/// The paths that begin at `tokens[at]` and reach the crate's root, by `crate::` or by enough `super::`.
fn crate_paths(tokens: &[Token], at: usize, depth: usize) -> Vec<Vec<String>> {
    let text = |at: usize| tokens.get(at).map_or("", |t: &Token| &t.text);
    if at > 0 && text(at - 1) == "::" {
        return Vec::new();
    }
    let mut next = at;
    while text(next) == "super" && text(next + 1) == "::" {
        next += 2;
    }
    let climbs = (next - at) / 2;
    if climbs == 0 && text(at) == "crate" && text(at + 1) == "::" {
        next = at + 2;
    } else if climbs == 0 || climbs < depth {
        return Vec::new();
    }
    let mut paths = Vec::new();
    tree(tokens, &mut next, &[], &mut paths);
    paths
}

/// Reads `a::{b, c::d}` into its paths.
fn tree(tokens: &[Token], at: &mut usize, so_far: &[String], paths: &mut Vec<Vec<String>>) {
    let text = |at: usize| tokens.get(at).map_or("", |t: &Token| &t.text);
    if text(*at) == "{" {
        *at += 1;
        while !matches!(text(*at), "}" | "") {
            if text(*at) == "," {
                *at += 1;
            } else {
                tree(tokens, at, so_far, paths);
                while !matches!(text(*at), "," | "}" | "") {
                    *at += 1; // `as name`
                }
            }
        }
        *at += 1;
        return;
    }
    let path = [so_far, &[text(*at).to_owned()]].concat();
    *at += 1;
    if text(*at) == "::" {
        *at += 1;
        tree(tokens, at, &path, paths);
    } else {
        paths.push(path);
    }
}

/// Takes out every item under `#[cfg(test)]`; also returns the first and last line of each.
fn without_tests(stream: TokenStream) -> (TokenStream, Vec<(usize, usize)>) {
    let mut kept = Vec::new();
    let mut tests = Vec::new();
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_hash = matches!(&token, TokenTree::Punct(p) if p.as_char() == '#');
        let gate = tokens
            .peek()
            .is_some_and(|next| next.to_string().replace(' ', "") == "[cfg(test)]");
        if is_hash && gate {
            let first = token.span().start().line;
            let ends = |t: &TokenTree| match t {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() == ';',
                TokenTree::Ident(_) | TokenTree::Literal(_) => false,
            };
            if let Some(end) = tokens.by_ref().find(ends) {
                tests.push((first, end.span().end().line));
                // The end of `use a::{b};`.
                tokens.next_if(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ';'));
            }
        } else if let TokenTree::Group(group) = &token {
            let (inner, more) = without_tests(group.stream());
            let mut cut = proc_macro2::Group::new(group.delimiter(), inner);
            cut.set_span(group.span());
            tests.extend(more);
            kept.push(TokenTree::Group(cut));
        } else {
            kept.push(token);
        }
    }
    (kept.into_iter().collect(), tests)
}

fn flatten(stream: TokenStream, out: &mut Vec<Token>) {
    for token in stream {
        let line = token.span().start().line;
        let token_of = |text: String| Token { text, line };
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                out.push(token_of(open.into()));
                flatten(group.stream(), out);
                out.push(Token {
                    text: close.into(),
                    line,
                });
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => match out.last_mut() {
                Some(last) if last.text == ":" => last.text.push(':'),
                Some(_) | None => out.push(token_of(":".into())),
            },
            TokenTree::Literal(_) => out.push(token_of("\"".into())),
            TokenTree::Ident(_) | TokenTree::Punct(_) => out.push(token_of(token.to_string())),
        }
    }
}

#[track_caller]
fn assert_tidy(rule: impl Fn(&File) -> Vec<String>) {
    let files = files();
    let tests = test_files(&files);
    let found: Vec<_> = files
        .iter()
        .filter(|file| !tests.iter().any(|test| file.base().starts_with(test)))
        .flat_map(|file| {
            rule(file)
                .into_iter()
                .map(move |what| format!("{}: {what}", file.path))
        })
        .collect();
    assert!(files.len() > 50, "only {} files were read", files.len());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[track_caller]
fn assert_caught(rule: impl Fn(&File) -> Vec<String>, path: &str, text: &str) {
    assert!(
        !rule(&planted(path, text)).is_empty(),
        "not caught in {path}: {text}"
    );
}

fn planted(path: &str, text: &str) -> File {
    File {
        path: path.into(),
        text: text.into(),
    }
}

/// The modules that exist only for tests: `#[cfg(test)] mod name;`.
fn test_files(files: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| file.is_source()) {
        let lines: Vec<_> = file.text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            let name = pair[1]
                .split("mod ")
                .nth(1)
                .and_then(|rest| rest.strip_suffix(';'));
            found.extend(name.map(|name| format!("{}/{name}", file.base())));
        }
    }
    found
}

/// Every text file of the repository; lock files hold only names and hashes.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let path = entry
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            let skipped = matches!(&*path, "target" | ".git")
                || ["lock", "sum", "new"].iter().any(|e| has_ending(&path, e));
            if skipped {
            } else if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(text) = std::fs::read_to_string(&entry) {
                found.push(File { path, text });
            }
        }
    }
    found
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == ending)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
