//! Pause, resume and pace.

use crate::bed::Bed;
use cofre_jobs::JobState;
use cofre_settings::JobName;
use serde_json::json;

#[tokio::test]
async fn a_job_that_is_paused_takes_no_step_and_goes_on_at_once_when_resumed() {
    let bed = Bed::new("replicas:1", 1).await;
    bed.put("k", b"v").await;
    bed.until(JobName::Scrub, "the first scrub", |job| job.figures.passes == 1).await;
    bed.set(json!({"jobs": {"scrub": {"paused": true}}})).await;
    assert_eq!(bed.until(JobName::Scrub, "the pause", |job| job.state == JobState::Paused).await.figures.passes, 1);
    bed.jobs.control().run(JobName::Scrub);
    let steps = bed.job(JobName::Scrub).await.worker.steps;
    bed.until(JobName::Scrub, "the rest is ended", |job| job.worker.steps > steps).await;
    assert_eq!(bed.job(JobName::Scrub).await.figures.passes, 1);
    // What was asked for while it was paused is done now, though the next pass is not due for a month.
    bed.set(json!({"jobs": {"scrub": {"paused": false}}})).await;
    bed.until(JobName::Scrub, "the second scrub", |job| job.figures.passes == 2).await;
}

#[tokio::test]
async fn every_job_has_settings_and_a_status_of_one_shape() {
    let bed = Bed::new("replicas:1", 1).await;
    let mut names: Vec<_> = bed.jobs.control().report().await.iter().map(|job| job.name).collect();
    let mut all: Vec<_> = JobName::ALL.iter().map(|name| name.as_str()).collect();
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names, all);
    let document = serde_json::to_value(bed.settings.current().as_ref()).unwrap();
    for name in JobName::ALL {
        assert_eq!(JobName::parse(name.as_str()), Some(*name));
        assert_eq!(document["jobs"][name.section()]["paused"], false);
    }
}

#[tokio::test]
async fn jobs_end_with_the_process_also_while_paused() {
    let bed = Bed::new("replicas:1", 1).await;
    bed.set(json!({"jobs": {"heal": {"paused": true}, "scrub": {"paused": true, "busy_share": 0.5}}})).await;
    bed.until(JobName::Heal, "the pause", |job| job.state == JobState::Paused).await;
    bed.shutdown.begin();
    let ended = bed.jobs.ended(std::time::Duration::from_secs(30));
    tokio::time::timeout(std::time::Duration::from_secs(10), ended).await.expect("they end");
}
