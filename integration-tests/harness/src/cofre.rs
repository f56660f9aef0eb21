use crate::data::DataDir;
use crate::http::{Connection, Request, Response};
use crate::log::Log;
use crate::options::Options;
use crate::sign::{Payload, Signer};
use crate::wait::until;
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// The longest from start to ready. It bounds recovery after a crash too.
const READY_MAX: Duration = Duration::from_secs(60);
/// The longest from SIGTERM to the end of the process.
const STOP_MAX: Duration = Duration::from_secs(60);
/// The longest that a server which is dropped may take to end.
const DROP_MAX: Duration = Duration::from_secs(10);

/// An account that was made through the command line.
#[derive(Debug, Clone)]
pub struct Account {
    /// Canonical id.
    pub id: String,
    /// Signs with its key.
    pub signer: Signer,
}

/// A server in a process of its own.
///
/// Dropping it ends the process, and fails the test if the server logged what nobody expected.
#[derive(Debug)]
pub struct Cofre {
    folder: DataDir,
    options: Options,
    s3: SocketAddr,
    admin: SocketAddr,
    log: Log,
    child: Option<Child>,
    signer: Signer,
    /// How far the server's wall clock is ahead.
    ahead: Duration,
}

impl Cofre {
    /// Starts one on empty data and waits until it is ready.
    ///
    /// # Errors
    /// If it does not become ready; the error shows the end of its log.
    pub fn start(options: Options) -> Result<Self> {
        let folder = DataDir::new()?;
        let mut log = Log::new(folder.path().join("server.log"));
        // All folders of a test are on one.
        log.expect("stand on one device");
        let [s3, admin] = free_addresses()?;
        let mut cofre =
            Self { folder, options, s3, admin, log, child: None, signer: Signer::new("", ""), ahead: Duration::ZERO };
        cofre.start_again()?;
        let credentials = cofre.data().join("credentials");
        cofre.signer = read_credentials(&credentials).with_context(|| credentials.display().to_string())?;
        Ok(cofre)
    }

    /// The program: `COFRE_BIN`, or what `cargo build` made.
    pub fn binary() -> PathBuf {
        let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/cofre");
        std::env::var_os("COFRE_BIN").map_or_else(built, PathBuf::from)
    }

    /// Starts it again on the same data, after [`Self::kill`] or [`Self::stop`].
    ///
    /// # Errors
    /// If it does not become ready; the error shows the end of its log.
    pub fn start_again(&mut self) -> Result<()> {
        self.start_until("/health/ready")
    }

    /// As [`Self::start_again`], but waits only until it answers: for one that will not be ready.
    ///
    /// # Errors
    /// If it does not answer; the error shows the end of its log.
    pub fn start_unready(&mut self) -> Result<()> {
        self.start_until("/health/live")
    }

    fn start_until(&mut self, path: &str) -> Result<()> {
        self.spawn()?;
        let ready = Request::new("GET", path).header("host", "localhost");
        let admin = self.admin;
        until("ready", READY_MAX, || {
            if let Some(status) = self.exited()? {
                bail!("the server ended with {status}:\n{}", self.log.tail());
            }
            let answer = Connection::open(admin).and_then(|mut connection| connection.exchange(&ready));
            Ok(answer.ok().filter(|response| response.status == 200))
        })
        .with_context(|| format!("log:\n{}", self.log.tail()))?;
        Ok(())
    }

    /// Sets the wall clock of the next process ahead of the machine's; requests are signed by it from then on. Works with
    /// programs that were built with debug assertions.
    pub fn set_clock_ahead(&mut self, by: Duration) {
        self.ahead = by;
        self.signer = self.signer.clone().ahead(by);
    }

    /// Starts the process and waits for nothing.
    ///
    /// # Errors
    /// If there is no program.
    pub fn spawn(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "the server runs already");
        let binary = self.options.program.clone().unwrap_or_else(Self::binary);
        let mut command = Command::new(&binary);
        // What says how tests run is no setting.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"COFRE_")) {
            command.env_remove(name);
        }
        command
            .args(["serve", "--log-format", "json", "--data"])
            .arg(self.data())
            .args(["--listen", &self.s3.to_string(), "--admin-listen", &self.admin.to_string()])
            .args(&self.options.arguments)
            .env("COFRE_DEBUG_CLOCK_AHEAD_SECS", self.ahead.as_secs().to_string())
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(self.log.append()?)
            .stderr(self.log.append()?);
        for shard in self.shards() {
            command.arg("--shard").arg(shard);
        }
        self.child = Some(command.spawn().with_context(|| format!("{} does not start", binary.display()))?);
        Ok(())
    }

    /// Folder of catalog, credentials and token.
    pub fn data(&self) -> PathBuf {
        self.options.data.clone().unwrap_or_else(|| self.folder.path().join("data"))
    }

    /// A folder that lives as long as the server, for what a test keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Folders of the shards that were named.
    pub fn shards(&self) -> Vec<PathBuf> {
        let numbered = (1..=self.options.shard_count).map(|number| self.folder.path().join(format!("shard-{number}")));
        numbered.chain(self.options.shards.iter().cloned()).collect()
    }

    /// Has the next start use this folder for its data.
    pub fn set_data(&mut self, data: PathBuf) {
        self.options.data = Some(data);
    }

    /// Has the next start name these folders as shards, and no others.
    pub fn set_shards(&mut self, shards: Vec<PathBuf>) {
        self.options.shard_count = 0;
        self.options.shards = shards;
    }

    /// Address of the S3 API.
    pub fn s3(&self) -> SocketAddr {
        self.s3
    }

    /// Address of the admin API.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Signs with the root key.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// What the server says.
    pub fn log(&mut self) -> &mut Log {
        &mut self.log
    }

    /// Id of the process.
    ///
    /// # Errors
    /// If it does not run.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.child.as_ref().context("the server does not run")?.id())
    }

    /// Sends one request, signed with the root key, over a connection of its own.
    ///
    /// # Errors
    /// If there is no proper response.
    pub fn send(&self, request: Request) -> Result<Response> {
        self.send_as(&self.signer, request)
    }

    /// Sends one request, signed with another key.
    ///
    /// # Errors
    /// If there is no proper response.
    pub fn send_as(&self, signer: &Signer, request: Request) -> Result<Response> {
        let request = request.header("host", &self.s3.to_string());
        self.send_raw(&signer.sign(request, Payload::Signed))
    }

    /// Sends one request as it is.
    ///
    /// # Errors
    /// If there is no proper response.
    pub fn send_raw(&self, request: &Request) -> Result<Response> {
        Connection::open(self.s3)?.exchange(request)
    }

    /// Sends one request to the admin API, with the first token.
    ///
    /// # Errors
    /// If there is no proper response.
    pub fn send_admin(&self, request: Request) -> Result<Response> {
        let token = std::fs::read_to_string(self.data().join("admin-token")).context("the admin token")?;
        let request = request
            .header("host", &self.admin.to_string())
            .header("authorization", &format!("Bearer {}", token.trim()));
        Connection::open(self.admin)?.exchange(&request)
    }

    /// Runs `cofre admin` with these arguments, and gives the JSON that it prints.
    ///
    /// # Errors
    /// If it fails; the error shows what it said.
    pub fn admin_command(&self, arguments: &[&str]) -> Result<Value> {
        serde_json::from_slice(&self.admin_output(arguments)?).context("cofre admin --json prints JSON")
    }

    /// Runs `cofre admin` with these arguments, and gives the JSON values that it prints one after the other.
    ///
    /// # Errors
    /// If it fails; the error shows what it said.
    pub fn admin_lines(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let printed = self.admin_output(arguments)?;
        let values = serde_json::Deserializer::from_slice(&printed).into_iter().collect::<Result<_, _>>();
        values.context("cofre admin --json prints JSON")
    }

    fn admin_output(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = Command::new(Self::binary())
            .arg("admin")
            .args(arguments)
            .arg("--json")
            .env("COFRE_ADMIN_URL", format!("http://{}", self.admin))
            .env("COFRE_ADMIN_TOKEN_FILE", self.data().join("admin-token"))
            .output()
            .context("cofre admin does not start")?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (printed, failed) = (&output.stdout, &output.stderr);
        ensure!(output.status.success(), "cofre admin {}: {}{}", arguments.join(" "), said(printed), said(failed));
        Ok(output.stdout)
    }

    /// Makes an account with a key.
    ///
    /// # Errors
    /// If the command fails, or prints something else.
    pub fn create_account(&self, name: &str, email: &str) -> Result<Account> {
        let made = self.admin_command(&["account", "create", name, "--email", email])?;
        let field = |field: &str| made[field].as_str().with_context(|| format!("no {field} in {made}"));
        Ok(Account {
            id: field("id")?.to_owned(),
            signer: Signer::new(field("access_key_id")?, field("secret_access_key")?),
        })
    }

    /// Asks it to end, and waits until it has. It must end well, and its log must be clean.
    ///
    /// # Errors
    /// If it does not.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let status = self.wait()?;
        ensure!(status.success(), "the server ended with {status}:\n{}", self.log.tail());
        self.log.check()
    }

    /// Kills it at once, as a crash would.
    ///
    /// # Errors
    /// If it does not run.
    pub fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.wait().map(drop)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// If it does not run.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()?).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(pid, signal).context("signal")
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If it does not end in time.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let status = until("the end of the server", STOP_MAX, || self.exited())?;
        self.child = None;
        Ok(status)
    }

    fn exited(&mut self) -> Result<Option<ExitStatus>> {
        let child = self.child.as_mut().context("the server does not run")?;
        child.try_wait().context("wait")
    }
}

impl Drop for Cofre {
    fn drop(&mut self) {
        // Asked first, so that the last lines of the log are there. A failure to ask, to kill or to
        // wait leaves nothing more to do: the process is gone already.
        let _ = self.signal(Signal::TERM);
        let _ = until("the end of the server", DROP_MAX, || self.exited());
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if !self.options.quiet {
            // The test harness shows it if the test fails.
            println!("the end of the server's log:\n{}", self.log.tail());
        }
        if let (Err(error), false) = (self.log.check(), std::thread::panicking()) {
            panic!("{error}");
        }
    }
}

/// Addresses on which nobody listens just now.
fn free_addresses<const N: usize>() -> Result<[SocketAddr; N]> {
    // All are held at once, so that they differ.
    let held: Vec<TcpListener> =
        (0..N).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
    let addresses: Vec<SocketAddr> = held.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
    addresses.try_into().ok().context("as many as were asked for")
}

/// Reads profile `default` of a shared-credentials file.
fn read_credentials(path: &Path) -> Result<Signer> {
    let text = std::fs::read_to_string(path)?;
    let value = |name: &str| {
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        let (_, value) = pairs.find(|(known, _)| known.trim() == name).with_context(|| format!("no {name}"))?;
        anyhow::Ok(value.trim().to_owned())
    };
    Ok(Signer::new(&value("aws_access_key_id")?, &value("aws_secret_access_key")?))
}
