//! A Cofre in this process, on a directory of its own.

use cofre_server::{Running, start};
use cofre_settings::{BootArgs, BootSettings, Secrets};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Settings for a test: free ports, data in this directory.
pub fn settings(data: &Path) -> BootArgs {
    let any = Some("127.0.0.1:0".parse().unwrap());
    BootArgs { data: Some(data.to_owned()), listen: any, admin_listen: any, ..BootArgs::default() }
}

pub fn resolve(args: BootArgs) -> BootSettings {
    BootSettings::resolve(args, Secrets::default()).unwrap()
}

/// A Cofre that serves, and the directory it lives in.
pub struct Bed {
    pub folder: TempDir,
    pub running: Option<Running>,
    url: String,
}

impl Bed {
    pub async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// With settings of its own.
    pub async fn with(change: impl FnOnce(&mut BootArgs, &Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut args = settings(&folder.path().join("data"));
        change(&mut args, folder.path());
        let running = start(resolve(args), None).await.unwrap();
        let url = format!("http://{}", running.admin);
        Self { folder, running: Some(running), url }
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Runs the program with these arguments against this Cofre.
    pub async fn cofre(&self, arguments: &[&str]) -> Output {
        let mut command = program(arguments);
        command.current_dir(self.folder.path());
        command.env("COFRE_ADMIN_URL", &self.url);
        command.env("COFRE_ADMIN_TOKEN_FILE", self.folder.path().join("data/admin-token"));
        run(command).await
    }

    /// Runs `cofre admin ... --json`, which must succeed.
    pub async fn admin(&self, arguments: &[&str]) -> Value {
        let output = self.cofre(&[&["admin"], arguments, &["--json"]].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        if output.stdout.is_empty() { Value::Null } else { serde_json::from_slice(&output.stdout).unwrap() }
    }
}

/// The program, with nothing of this process' environment that it listens to.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cofre"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("COFRE_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs a command without holding the runtime up.
pub async fn run(mut command: Command) -> Output {
    cofre_runtime::blocking(move || command.output().unwrap()).await
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `cofre serve --log-format json` with these arguments and variables until `seen` says that enough was logged, then
/// ends it as an operator does: the lines of its log. Nothing else may be said.
pub async fn logged(
    arguments: &[&str],
    variables: &[(&str, &str)],
    seen: impl Fn(&Value) -> bool + Send + 'static,
) -> Vec<Value> {
    let mut command = program(&[&["serve", "--log-format", "json"], arguments].concat());
    command.envs([("COFRE_LISTEN", "127.0.0.1:0"), ("COFRE_ADMIN_LISTEN", "127.0.0.1:0")]);
    command.envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    cofre_runtime::blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut log = Vec::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            let line = line.unwrap();
            let entry: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it is no JSON: {line}"));
            if seen(&entry) {
                assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
            }
            log.push(entry);
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stdout), "");
        log
    })
    .await
}

/// Runs `cofre serve` with these arguments until it serves, then ends it as an operator does: what it printed and what
/// it logged.
pub async fn served(arguments: &[&str]) -> (String, String) {
    let mut command = program(&[&["serve"], arguments].concat());
    command.envs([("COFRE_LISTEN", "127.0.0.1:0"), ("COFRE_ADMIN_LISTEN", "127.0.0.1:0")]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    cofre_runtime::blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The banner is printed at once; its line of the data directory is in every one.
        let mut banner = String::new();
        while let Some(line) = lines.next().transpose().unwrap() {
            banner += &format!("{line}\n");
            if line.starts_with("  data ") {
                assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
            }
        }
        let output = child.wait_with_output().unwrap();
        let log = text(&output.stderr);
        assert!(output.status.success(), "{log}");
        (banner, log)
    })
    .await
}
