use super::serve::reachable;
use crate::serve::{LIVE, READY};
use anyhow::{Context, Result, bail};
use cofre_settings::BootSettings;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take. Readiness looks at the catalog and at the shards, for seconds at the most.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 16 * 1024;

/// What is asked, and of whom.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask whether it runs, and not whether it should get requests.
    #[arg(long)]
    live: bool,

    #[command(flatten)]
    boot: Box<cofre_settings::BootArgs>,
}

/// `cofre health`.
pub(super) async fn run(args: Args) -> Result<()> {
    let settings = BootSettings::load(*args.boot, |name| std::env::var(name).ok())?;
    let address = reachable(settings.listen);
    let path = if args.live { LIVE } else { READY };
    let status = timeout(ANSWER_MAX, ask(address, path)).await;
    let status = status.with_context(|| format!("{address} does not answer within {} s", ANSWER_MAX.as_secs()))??;
    match status.as_str() {
        "200" => Ok(()),
        "503" => bail!("{address} is not ready: cofre admin health says why"),
        other => bail!("{address} answers {other} and not as a Cofre does: is it what --listen names?"),
    }
}

/// The status of an answer. It is asked in plain HTTP, which is answered there though the port speaks TLS.
async fn ask(address: SocketAddr, path: &str) -> Result<String> {
    let unreachable = || format!("{address} cannot be asked: does cofre serve run, with the same --listen?");
    let mut tcp = TcpStream::connect(address).await.with_context(unreachable)?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.with_context(unreachable)?;
    let mut answer = Vec::new();
    tcp.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await.with_context(unreachable)?;
    let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    Ok(line.split(' ').nth(1).unwrap_or("nothing").to_owned())
}
