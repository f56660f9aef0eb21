//! The calls that Terraform's AWS provider 5.100.0 makes when it creates, reads, changes and destroys each resource
//! of S3 in `clients/terraform/main.tf`. `clients/terraform/record.py` recorded them while Terraform found each answer
//! to be what it had applied; here they are signed and sent anew, and each must be answered in the same way.

use anyhow::{Context, Result, ensure};
use cofre_harness::{Cofre, Options, Request, Response};
use cofre_suites::succeeded;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Elements whose text differs from one server to the next.
const OWN: [&str; 8] =
    ["ID", "DisplayName", "LastModified", "CreationDate", "VersionId", "DeleteMarkerVersionId", "RequestId", "HostId"];

/// The policy of the bucket that logs go to.
const LOGS_POLICY: &str = "/terraform-logs?policy";
const LET_LOGS_IN: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:PutObject",
    "Principal": {"Service": "logging.s3.amazonaws.com"}, "Resource": "arn:aws:s3:::terraform-logs/*"}}"#;

/// A call and its answer, as they were recorded.
struct Call(Value);

impl Call {
    fn text(&self, field: &str) -> Result<&str> {
        self.0[field].as_str().with_context(|| format!("no {field} in {}", self.0))
    }

    fn pairs(&self, field: &str) -> Result<impl Iterator<Item = (&str, &str)>> {
        let object = self.0[field].as_object().with_context(|| format!("no {field} in {}", self.0))?;
        Ok(object.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))))
    }

    /// The request, with the versions that this server made for those of the recording.
    fn request(&self, versions: &BTreeMap<String, String>) -> Result<Request> {
        let anew = |text: &str| {
            versions.iter().fold(text.to_owned(), |text, (recorded, made)| text.replace(recorded.as_str(), made))
        };
        let mut request =
            Request::new(self.text("method")?, &anew(self.text("target")?)).body(anew(self.text("body")?));
        for (name, value) in self.pairs("headers")? {
            request = request.header(name, value);
        }
        Ok(request)
    }

    /// Holds an answer against the recorded one: its status, its headers, and what its document says.
    fn check(&self, answer: &Response) -> Result<()> {
        let what = format!("{} {} {}", self.text("phase")?, self.text("method")?, self.text("target")?);
        let status = self.0["status"].as_u64().context("a status")?;
        ensure!(u64::from(answer.status) == status, "{what}: {status} became {} {}", answer.status, answer.text());
        for (name, value) in self.pairs("told")? {
            let told = answer.header(name);
            ensure!(told == Some(value), "{what}: {name}: {value} became {told:?}");
        }
        let (recorded, told) = (of_any_server(self.text("answer")?), of_any_server(&answer.text()));
        ensure!(recorded == told, "{what}:\n{recorded}\nbecame\n{told}");
        Ok(())
    }
}

/// A document without the text of the elements in [`OWN`].
fn of_any_server(document: &str) -> String {
    OWN.iter().fold(document.to_owned(), |document, name| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let mut parts = document.split(open.as_str());
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |kept, part| kept + &open + part.find(&close).map_or(part, |at| &part[at..]))
    })
}

#[test]
fn every_call_is_answered_as_terraform_expects() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/terraform/calls.jsonl");
    let recording = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let cofre = Cofre::start(Options::new())?;
    let mut versions = BTreeMap::new();
    let mut phases = Vec::new();
    for line in recording.lines() {
        let call = Call(serde_json::from_str(line)?);
        // What lets logs in is none of the recorded resources: it is granted by other hands while logging is set.
        let grants = call.text("method")? == "PUT" && call.text("target")?.ends_with("?logging=");
        if grants {
            succeeded(cofre.send(Request::new("PUT", LOGS_POLICY).body(LET_LOGS_IN))?)?;
        }
        let answer = cofre.send(call.request(&versions)?)?;
        call.check(&answer)?;
        if grants {
            succeeded(cofre.send(Request::new("DELETE", LOGS_POLICY))?)?;
        }
        let version = call.text("version")?;
        if let Some(made) = answer.header("x-amz-version-id").filter(|_| !version.is_empty() && version != "null") {
            versions.insert(version.to_owned(), made.to_owned());
        }
        phases.push(call.text("phase")?.to_owned());
    }
    phases.dedup();
    assert_eq!(phases, ["create", "refresh", "change", "refresh changed", "destroy"]);
    assert!(versions.len() > 2, "the recording names versions: {versions:?}");
    // All that it made is gone.
    assert!(!cofre.send(Request::new("GET", "/"))?.text().contains("<Bucket>"));
    Ok(())
}
