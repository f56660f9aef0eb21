use crate::bed::{program, run};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Starts the program and gives it with the address of its admin API, once it serves.
fn serve(data: &std::path::Path) -> (std::process::Child, String) {
    let data = data.display().to_string();
    let mut command = program(&["serve", "--data", &data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains("admin API")).expect("the program serves");
    let url = line.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned();
    (child, url)
}

#[tokio::test]
async fn sigterm_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _) = serve(folder.path());
    let mut kill = Command::new("kill");
    kill.args(["-TERM", &child.id().to_string()]);
    assert!(run(kill).await.status.success());
    let status = tokio::time::timeout(Duration::from_secs(30), cofre_runtime::blocking(move || child.wait().unwrap()));
    assert!(status.await.expect("it ends in time").success());
    // The lock is free again, and the catalog whole.
    let (mut child, _) = serve(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
}
