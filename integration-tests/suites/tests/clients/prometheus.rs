//! Debian's Prometheus scrapes a server, and is asked what a dashboard and an alert ask.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Connection, Options, Request, Tool, until};
use cofre_suites::{get, path, put, succeeded, with_bucket};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The longest until it has scraped often enough.
const SCRAPED_MAX: Duration = Duration::from_secs(60);

/// Every family of histograms, and a label that tells one of its series from another.
const HISTOGRAMS: [(&str, &str); 6] = [
    ("cofre_s3_request_duration_seconds", "operation"),
    ("cofre_catalog_commit_duration_seconds", "job"),
    ("cofre_catalog_sync_duration_seconds", "job"),
    ("cofre_catalog_group_commits", "job"),
    ("cofre_shard_write_duration_seconds", "shard"),
    ("cofre_shard_read_duration_seconds", "shard"),
];

/// What alerts compare, and what it must be; none for any number above zero.
const FIGURES: [(&str, Option<f64>); 20] = [
    ("up", Some(1.0)),
    ("cofre_health_status{status=\"failing\"}", Some(0.0)),
    ("cofre_catalog_up", Some(1.0)),
    ("cofre_unreadable_blobs", Some(0.0)),
    ("cofre_away_copies", Some(0.0)),
    ("cofre_shard_up{shard=\"1\"}", Some(1.0)),
    ("cofre_shard_mode{shard=\"1\",mode=\"active\"}", Some(1.0)),
    ("cofre_bucket_objects{bucket=\"suite-bucket\"}", Some(1.0)),
    ("cofre_bucket_bytes{bucket=\"suite-bucket\"}", Some(7.0)),
    ("cofre_s3_requests_in_flight", Some(0.0)),
    ("cofre_connections{listener=\"admin\"} > 0", None),
    ("cofre_s3_errors_total{code=\"NoSuchKey\"}", Some(1.0)),
    ("cofre_build_info", Some(1.0)),
    ("cofre_last_backup_timestamp_seconds > 1e9", None),
    // Prometheus keeps `job` for what it scrapes, and renames ours.
    ("cofre_job_last_pass_timestamp_seconds{exported_job=\"scrub\"} > 1e9", None),
    ("process_start_time_seconds > 1e9", None),
    ("process_resident_memory_bytes > 1e6", None),
    ("process_cpu_seconds_total", None),
    ("process_open_fds > 3", None),
    ("process_max_fds > 3", None),
];

/// A process that ends with the test.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Samples of an instant query; none before it has scraped.
    fn query(&self, query: &str) -> Result<Vec<f64>> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let request =
            Request::new("GET", &format!("/api/v1/query?query={encoded}")).header("host", &self.address.to_string());
        let answer: Value =
            serde_json::from_slice(&succeeded(Connection::open(self.address)?.exchange(&request)?)?.body)?;
        let results = answer["data"]["result"].as_array().with_context(|| format!("no result in {answer}"))?;
        results.iter().map(|result| Ok(result["value"][1].as_str().context("a value")?.parse()?)).collect()
    }
}

#[test]
fn prometheus_reads_every_metric() -> Result<()> {
    let cofre = with_bucket(Options::new())?;
    succeeded(cofre.send(put("object", b"content"))?)?;
    succeeded(cofre.send(get("object"))?)?;
    assert_eq!(cofre.send(Request::new("GET", &path("nothing")))?.status, 404);
    let backup = cofre.folder().join("backup").display().to_string();
    let begun = Request::new("POST", "/v1/backups")
        .header("content-type", "application/json")
        .body(serde_json::json!({"directory": backup}).to_string().as_bytes());
    succeeded(cofre.send_admin(begun)?)?;
    // Else it rests nineteen times as long as it works.
    cofre.admin_command(&["settings", "set", "jobs.scrub.busy_share=1"])?;
    cofre.admin_command(&["job", "run", "scrub"])?;

    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let config = cofre.folder().join("prometheus.yml");
    let text = format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: cofre\n  authorization:\n    \
         credentials_file: {}\n  static_configs:\n  - targets: ['{}']\n",
        cofre.data().join("admin-token").display(),
        cofre.admin()
    );
    std::fs::write(&config, text)?;
    let log = std::fs::File::create(cofre.folder().join("prometheus.log"))?;
    let mut command = Command::from(
        Tool::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", cofre.folder().join("prometheus").display()))
            .arg(format!("--web.listen-address={address}")),
    );
    let child = command.stdout(Stdio::null()).stderr(log).spawn().context("prometheus starts")?;
    let prometheus = Prometheus { child, address };
    let scraped = until("enough scrapes", SCRAPED_MAX, || {
        let count = prometheus.query("count_over_time(up[5m])").unwrap_or_default();
        Ok(count.first().copied().filter(|count| *count >= 3.0))
    });
    let said = || std::fs::read_to_string(cofre.folder().join("prometheus.log")).unwrap_or_default();
    scraped.with_context(said)?;

    for (figure, expected) in FIGURES {
        // What a job tells comes once it has ended a pass.
        let first = until(figure, SCRAPED_MAX, || Ok(prometheus.query(figure)?.first().copied()))?;
        let good = expected.map_or(first > 0.0, |expected| first == expected);
        ensure!(good, "{figure} is {first}, and should be {expected:?}");
    }
    for (histogram, label) in HISTOGRAMS {
        let query = format!("histogram_quantile(0.99, sum by (le, {label}) ({histogram}_bucket))");
        let found = prometheus.query(&query)?;
        // A series without observations has no quantile.
        ensure!(found.iter().any(|value| value.is_finite() && *value > 0.0), "{query} is {found:?}");
        let ends = prometheus.query(&format!("count({histogram}_bucket{{le=\"+Inf\"}})"))?;
        let series = prometheus.query(&format!("count({histogram}_count)"))?;
        ensure!(ends == series && !ends.is_empty(), "{histogram}: {ends:?} of {series:?} series end in +Inf");
    }
    Ok(())
}
