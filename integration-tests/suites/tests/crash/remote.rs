//! Nodes that remote shards stand on: processes that can be killed, frozen and started again on the same data.

use anyhow::{Context, Result};
use cofre_harness::{Cofre, Connection, DataDir, Options, Signer, until, venv};
use cofre_suites::make_bucket;
use rustix::process::{Pid, Signal, kill_process};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Bucket of every node.
pub const NODE_BUCKET: &str = "shards";
/// Room of each remote shard.
const NODE_CAPACITY_BYTES: &str = "34359738368";
/// The longest until a node listens.
const READY_MAX: Duration = Duration::from_secs(30);

/// Builds the command of a program that listens here, keeps its objects there, and knows one key.
type Make = fn(SocketAddr, &DataDir, &Signer) -> Command;

/// A node.
pub enum Node {
    /// Another Cofre.
    Cofre(Box<Cofre>),
    /// Another program.
    Program(Box<Program>),
}

/// A program that serves S3.
pub struct Program {
    name: &'static str,
    address: SocketAddr,
    folder: DataDir,
    signer: Signer,
    make: Make,
    child: Option<Child>,
}

impl Node {
    /// Another Cofre, with the bucket.
    pub fn cofre() -> Result<Self> {
        let cofre = Cofre::start(Options::new())?;
        make_bucket(&cofre, NODE_BUCKET)?;
        Ok(Self::Cofre(Box::new(cofre)))
    }

    /// s3s-fs, as the bench serves it.
    pub fn s3s_fs() -> Result<Self> {
        Program::start("s3s-fs", |address, folder, signer| {
            let mut command = Command::new(Cofre::binary().with_file_name("cofre-bench"));
            command.arg("reference").arg(folder.path());
            command.args([&address.to_string(), &signer.access_key, &signer.secret_key]);
            command
        })
    }

    /// rclone's S3 server over a folder.
    pub fn rclone() -> Result<Self> {
        Program::start("rclone", |address, folder, signer| {
            let mut command = Command::new(venv().join("bin/rclone"));
            command.args(["serve", "s3", "--addr", &address.to_string(), "--auth-key"]);
            command.arg(format!("{},{}", signer.access_key, signer.secret_key)).arg(folder.path());
            command.env("RCLONE_CONFIG", "/dev/null").env("HOME", folder.path());
            command
        })
    }

    /// What it is.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cofre(_) => "Cofre",
            Self::Program(program) => program.name,
        }
    }

    /// URL of its S3 API.
    pub fn endpoint(&self) -> String {
        match self {
            Self::Cofre(cofre) => format!("http://{}", cofre.s3()),
            Self::Program(program) => format!("http://{}", program.address),
        }
    }

    /// The key that it knows.
    pub fn signer(&self) -> &Signer {
        match self {
            Self::Cofre(cofre) => cofre.signer(),
            Self::Program(program) => &program.signer,
        }
    }

    /// The folder that it keeps the objects of its bucket in, one file each.
    pub fn objects(&self) -> Result<PathBuf> {
        match self {
            Self::Cofre(_) => anyhow::bail!("a Cofre keeps no file for each object"),
            Self::Program(program) => Ok(program.folder.path().join(NODE_BUCKET)),
        }
    }

    /// Kills it at once.
    pub fn kill(&mut self) -> Result<()> {
        match self {
            Self::Cofre(cofre) => cofre.kill(),
            Self::Program(program) => program.kill(),
        }
    }

    /// Starts it again on its data.
    pub fn start_again(&mut self) -> Result<()> {
        match self {
            Self::Cofre(cofre) => cofre.start_again(),
            Self::Program(program) => program.start_again(),
        }
    }

    /// Stops it where it stands: its connections stay open and nothing is answered.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        match self {
            Self::Cofre(cofre) => cofre.signal(signal),
            Self::Program(program) => {
                let pid = program.child.as_ref().context("the node does not run")?.id();
                let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("a process id")?;
                kill_process(pid, signal).context("signal")
            }
        }
    }
}

impl Program {
    fn start(name: &'static str, make: Make) -> Result<Node> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let folder = DataDir::new()?;
        std::fs::create_dir(folder.path().join(NODE_BUCKET))?;
        let signer = Signer::new("nodenodenodenodenode", "nodenodenodenodenodenodenodenodenodenode");
        let mut program = Self { name, address, folder, signer, make, child: None };
        program.start_again()?;
        Ok(Node::Program(Box::new(program)))
    }

    fn start_again(&mut self) -> Result<()> {
        let mut command = (self.make)(self.address, &self.folder, &self.signer);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn();
        self.child =
            Some(started.with_context(|| format!("{} does not start; `cargo verify` installs it", self.name))?);
        until("the node listens", READY_MAX, || Ok(Connection::open(self.address).ok())).map(drop)
    }

    fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("the node does not run")?;
        child.kill()?;
        child.wait().map(drop).context("wait")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing is left to do if it is gone already.
        let _ = self.kill();
    }
}

/// Arguments of `cofre admin shard add` for a bucket of an endpoint; the secret goes to a file.
pub fn add_arguments(cofre: &Cofre, endpoint: &str, signer: &Signer, prefix: &str) -> Result<Vec<String>> {
    let secret = secret_file(cofre, &signer.secret_key)?;
    let arguments = [
        ["shard", "add"],
        ["--s3-endpoint", endpoint],
        ["--s3-bucket", NODE_BUCKET],
        ["--s3-prefix", prefix],
        ["--s3-access-key-id", &signer.access_key],
        ["--s3-secret-key-file", &secret],
        // About what the disk of the test has, so that placement takes either kind.
        ["--s3-capacity-bytes", NODE_CAPACITY_BYTES],
    ];
    Ok(arguments.concat().into_iter().map(str::to_owned).collect())
}

/// A file with a secret, as an operator makes one.
pub fn secret_file(cofre: &Cofre, secret: &str) -> Result<String> {
    let path = cofre.folder().join("secret");
    std::fs::write(&path, format!("{secret}\n"))?;
    Ok(path.display().to_string())
}

/// Runs `cofre admin` with owned arguments.
pub fn admin(cofre: &Cofre, arguments: &[String]) -> Result<serde_json::Value> {
    cofre.admin_command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}
