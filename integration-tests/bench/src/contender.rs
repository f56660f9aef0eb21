use anyhow::{Context, Result, bail, ensure};
use cofre_harness::{Cofre, Connection, DataDir, Options, Payload, Request, Response, Signer, until};
use cofre_runtime::Clock;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The longest until s3s-fs listens.
const READY_MAX: Duration = Duration::from_secs(10);
/// The longest until a shard is removed.
const REMOVE_MAX: Duration = Duration::from_secs(30);
/// Clock ticks of `/proc/PID/stat` in a second: fixed by the kernel's interface to 100 (proc(5)).
const TICKS_PER_SEC: f64 = 100.0;

/// A server under measurement.
pub struct Contender {
    /// Name in the tables.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its key.
    pub signer: Signer,
    process: Process,
}

enum Process {
    Cofre(Box<Cofre>),
    Reference(Child, #[expect(dead_code, reason = "held, so that the folder lives as long")] DataDir),
}

impl Contender {
    /// Cofre, as `cargo cofre` starts it.
    pub fn cofre() -> Result<Self> {
        Self::started(Options::new())
    }

    /// Another build of Cofre.
    pub fn beside(program: PathBuf) -> Result<Self> {
        let mut contender = Self::started(Options::new().program(program))?;
        contender.name = "beside";
        Ok(contender)
    }

    /// Cofre, started in another way.
    pub fn started(options: Options) -> Result<Self> {
        let cofre = Cofre::start(options.quiet())?;
        Ok(Self {
            name: "cofre",
            address: cofre.s3(),
            signer: cofre.signer().clone(),
            process: Process::Cofre(Box::new(cofre)),
        })
    }

    /// s3s-fs, in a process of this program.
    pub fn reference() -> Result<Self> {
        let folder = DataDir::new()?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let signer = Signer::new("benchbenchbenchbench", "benchbenchbenchbenchbenchbenchbenchbench");
        let child = Command::new(std::env::current_exe()?)
            .arg("reference")
            .arg(folder.path())
            .args([&address.to_string(), &signer.access_key, &signer.secret_key])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("s3s-fs does not start")?;
        let contender = Self { name: "s3s-fs", address, signer, process: Process::Reference(child, folder) };
        until("s3s-fs listens", READY_MAX, || Ok(Connection::open(address).ok()))?;
        Ok(contender)
    }

    /// Sends one request over a connection of its own; it must succeed.
    pub fn send(&self, request: Request) -> Result<Response> {
        let request = request.header("host", &self.address.to_string());
        let signed = self.signer.sign(request, Payload::Signed);
        let response = Connection::open(self.address)?.exchange(&signed)?;
        let Request { method, target, .. } = &signed;
        ensure!(response.status < 300, "{}: {method} {target}: {} {}", self.name, response.status, response.text());
        Ok(response)
    }

    /// Where Cofre's admin API listens.
    pub fn admin_address(&self) -> Result<SocketAddr> {
        Ok(self.running()?.admin())
    }

    /// Folder of Cofre's one shard.
    pub fn shard(&self) -> Result<PathBuf> {
        Ok(self.running()?.data().join("shard-1"))
    }

    /// A metric of Cofre's that has no labels.
    pub fn metric(&self, name: &str) -> Result<f64> {
        let response = self.running()?.send_admin(Request::new("GET", "/metrics"))?;
        ensure!(response.status == 200, "metrics: {} {}", response.status, response.text());
        let text = response.text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("no metric {name}"))
    }

    /// Makes an account in Cofre and gives its key.
    pub fn account(&self, name: &str) -> Result<Signer> {
        Ok(self.running()?.create_account(name, &format!("{name}@example.test"))?.signer)
    }

    /// Runs `cofre admin` with these arguments.
    pub fn admin(&self, arguments: &[&str]) -> Result<Value> {
        self.running()?.admin_command(arguments)
    }

    /// Runs `cofre admin` with the arguments of something that says nothing.
    pub fn admin_silent(&self, arguments: &[&str]) -> Result<()> {
        let said = self.running()?.admin_lines(arguments)?;
        ensure!(said.is_empty(), "{said:?}");
        Ok(())
    }

    /// Asks Cofre's admin API.
    pub fn admin_get(&self, path: &str) -> Result<Value> {
        let response = self.running()?.send_admin(Request::new("GET", path))?;
        ensure!(response.status == 200, "{path}: {} {}", response.status, response.text());
        serde_json::from_slice(&response.body).context("the admin API answers JSON")
    }

    /// Removes these shards of Cofre, by their number from 0, with all that is on them. `expected` is what Cofre will say
    /// of it.
    pub fn remove_shards(&mut self, shards: &[usize], expected: &[&str]) -> Result<()> {
        let Process::Cofre(cofre) = &mut self.process else { bail!("only Cofre has shards") };
        expected.iter().for_each(|text| cofre.log().expect(text));
        let roots = cofre.shards();
        for shard in shards {
            let root = roots.get(*shard).context("a shard of that number")?;
            // A probe may write a file meanwhile.
            until("a shard is removed", REMOVE_MAX, || {
                let gone = std::fs::remove_dir_all(root).is_ok() || !root.exists();
                Ok(gone.then_some(()))
            })?;
        }
        Ok(())
    }

    /// Announces what Cofre will say.
    pub fn expect(&mut self, text: &str) {
        if let Process::Cofre(cofre) = &mut self.process {
            cofre.log().expect(text);
        }
    }

    fn running(&self) -> Result<&Cofre> {
        match &self.process {
            Process::Cofre(cofre) => Ok(cofre),
            Process::Reference(..) => bail!("only Cofre has an admin API"),
        }
    }

    /// Stops Cofre, well or with kill -9, starts it again on its data, and says how long it took from
    /// the start until it was ready.
    pub fn restart(&mut self, well: bool) -> Result<Duration> {
        let Process::Cofre(cofre) = &mut self.process else { bail!("only Cofre is started again") };
        if well {
            cofre.stop()?
        } else {
            cofre.kill()?
        }
        let clock = Clock::system();
        cofre.start_again()?;
        Ok(clock.elapsed())
    }

    /// The server's process.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(match &self.process {
            Process::Cofre(cofre) => cofre.pid()?,
            Process::Reference(child, _) => child.id(),
        })
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        if let Process::Reference(child, _) = &mut self.process {
            // Nothing is left to do if it is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a process has taken so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Memory now, in bytes (VmRSS).
    pub rss_bytes: u64,
    /// The most memory so far, in bytes (VmHWM).
    pub rss_bytes_max: u64,
    /// Processor time, in seconds.
    pub cpu_secs: f64,
}

impl Usage {
    /// Of a process.
    pub fn of(pid: u32) -> Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the server runs")?;
        let bytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
            kib.map(|kib| kib * 1024).with_context(|| format!("no {field} in /proc/{pid}/status"))
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the server runs")?;
        // The name of the program is in parentheses and may hold anything; fields 14 and 15 come after it.
        let after = stat.rsplit_once(')').context("a line of stat")?.1;
        let ticks =
            after.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().unwrap_or(0.0)).sum::<f64>();
        Ok(Self { rss_bytes: bytes("VmRSS:")?, rss_bytes_max: bytes("VmHWM:")?, cpu_secs: ticks / TICKS_PER_SEC })
    }
}
