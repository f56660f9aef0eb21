//! What the status says, held against what really stands on the shards.

use crate::bed::Bed;
use cofre_blobs::Reconciling;
use cofre_catalog::records::{JobRecord, ShardMode, ShardPass};
use cofre_jobs::JobState;
use cofre_settings::JobName;
use cofre_types::ShardId;

/// How many copies that records name do not stand where they should, the shards of `away` aside.
async fn lacking(bed: &Bed, shards: &[u32], away: &[u32]) -> usize {
    let mut lacking = 0;
    let named = bed.named().await;
    for number in shards.iter().filter(|number| !away.contains(number)) {
        let standing = bed.standing(*number).await;
        let should = named.iter().filter(|(_, on)| on.contains(&ShardId(*number)));
        lacking += should.filter(|(blob, _)| !standing.contains(*blob)).count();
    }
    lacking
}

async fn copies_on(bed: &Bed, number: u32) -> usize {
    bed.named().await.values().filter(|on| on.contains(&ShardId(number))).count()
}

async fn fill(bed: &Bed, objects: u32) {
    for number in 0..objects {
        bed.put(&format!("k{number}"), &[7; 1_000]).await;
    }
}

#[tokio::test]
async fn heal_ends_when_the_shards_hold_what_records_name_and_not_before() {
    let bed = Bed::new("replicas:2", 3).await;
    fill(&bed, 60).await;
    bed.set(serde_json::json!({"jobs": {"heal": {"paused": true}}})).await;
    bed.wipe(1).await;
    bed.jobs.control().run(JobName::Scrub);
    let scrub = bed.until(JobName::Scrub, "a whole scrub", |scrub| scrub.figures.passes > 0).await;
    let lost = lacking(&bed, &[1, 2, 3], &[]).await as u64;
    let on_one = scrub.figures.shards.iter().find(|seen| seen.shard == ShardId(1)).unwrap();
    assert_eq!((on_one.bad, on_one.copies), (lost, 0));
    let heal = bed.job(JobName::Heal).await;
    assert_eq!((heal.state, heal.remaining.objects), (JobState::Paused, Some(lost)));
    assert_eq!((heal.remaining.bytes, heal.speed.time_left), (None, None), "the queue counts no bytes");

    bed.set(serde_json::json!({"jobs": {"heal": {"paused": null}}})).await;
    loop {
        // Read in this order: what is healed in between only makes fewer.
        let before = lacking(&bed, &[1, 2, 3], &[]).await as u64;
        let heal = bed.job(JobName::Heal).await;
        let left = heal.remaining.objects.unwrap();
        assert!(left <= before + 1, "{left} are said to be left, and {before} were");
        if heal.figures.finished.is_some() {
            assert_eq!((left, lacking(&bed, &[1, 2, 3], &[]).await), (0, 0));
            break;
        }
        assert!(heal.state != JobState::Idle || left == 0);
        bed.jobs.control().wake(JobName::Heal);
        tokio::task::yield_now().await;
    }
    assert_eq!(bed.job(JobName::Heal).await.figures.done, lost);
}

#[tokio::test]
async fn a_drain_has_finished_once_the_shard_lists_nothing() {
    let bed = Bed::new("replicas:1", 3).await;
    fill(&bed, 60).await;
    let change = cofre_blobs::ShardChange { draining: Some(true), ..Default::default() };
    bed.topology.change(ShardId(1), &change, None, "test").await.unwrap();
    loop {
        let drain = bed.job(JobName::Drain).await;
        let progress = bed.topology.drain_progress(ShardId(1)).await.unwrap();
        if progress.state == cofre_blobs::DrainState::Drained {
            assert!(bed.standing(1).await.is_empty());
            break;
        }
        assert!(drain.remaining.objects.unwrap() >= copies_on(&bed, 1).await as u64);
        bed.jobs.control().wake(JobName::Drain);
        tokio::task::yield_now().await;
    }
    assert_eq!((copies_on(&bed, 1).await, lacking(&bed, &[1, 2, 3], &[]).await), (0, 0));
}

#[tokio::test]
async fn shards_come_and_go_and_the_status_is_true_at_each_poll() {
    let bed = Bed::new("replicas:2", 4).await;
    fill(&bed, 100).await;
    bed.set_away(1, true);
    bed.until(JobName::AttachShards, "the loss is seen", |job| job.remaining.objects == Some(1)).await;
    bed.topology.give_up(ShardId(1), true, "test").await.unwrap();
    loop {
        let rebuild = bed.job(JobName::Rebuild).await;
        let after = copies_on(&bed, 1).await as u64;
        assert!(rebuild.remaining.objects.unwrap() >= after, "{rebuild:?}");
        if rebuild.figures.finished.is_some() && after == 0 {
            break;
        }
        bed.jobs.control().wake(JobName::Rebuild);
        bed.jobs.control().wake(JobName::Heal);
        tokio::task::yield_now().await;
    }
    let named = bed.named().await;
    assert!(named.values().all(|on| on.len() == 2 && !on.contains(&ShardId(1))));
    assert_eq!(lacking(&bed, &[2, 3, 4], &[]).await, 0);

    // One is added; the lost one comes back by itself, and gives up what nobody needs.
    bed.add_shard(5).await;
    fill(&bed, 20).await;
    bed.set_away(1, false);
    bed.until(JobName::AttachShards, "the shard is back", |job| job.figures.actions.contains_key("taken_back")).await;
    bed.until(JobName::Reconcile, "it is held against the catalog", |job| job.figures.passes > 0).await;
    bed.until(JobName::Reclaim, "what nobody needs is deleted", |job| job.figures.finished.is_some()).await;
    assert_eq!(bed.topology.get(ShardId(1)).await.unwrap().record.mode, ShardMode::Active);
    assert_eq!(lacking(&bed, &[1, 2, 3, 4, 5], &[]).await, 0);
    assert!(bed.named().await.values().all(|on| on.len() == 2));
}

#[tokio::test]
async fn no_shard_is_given_up_by_itself_while_half_of_them_are_away() {
    let clock = cofre_runtime::ManualClock::at(1_800_000_000_000_000_000);
    let bed = Bed::on_clock("replicas:2", 4, clock.clock()).await;
    bed.set(serde_json::json!({"repair": {"dead_after_secs": 60}})).await;
    bed.set_away(1, true);
    bed.set_away(2, true);
    bed.until(JobName::AttachShards, "both are seen to be away", |job| job.remaining.objects == Some(2)).await;
    clock.advance(std::time::Duration::from_secs(3_600));
    let why = |job: &cofre_jobs::JobStatus| job.figures.problems.iter().any(|problem| problem.why.contains("half"));
    bed.until(JobName::AttachShards, "it is told why they are not given up", why).await;
    let mode = async |number| bed.topology.get(ShardId(number)).await.unwrap().record.mode;
    assert_eq!((mode(1).await, mode(2).await), (ShardMode::Active, ShardMode::Active));
    bed.set_away(2, false);
    bed.until(JobName::AttachShards, "one is given up", |job| job.figures.actions.contains_key("given_up")).await;
    assert_eq!((mode(1).await, mode(2).await), (ShardMode::Lost, ShardMode::Active));
}

#[tokio::test]
async fn a_lifecycle_pass_tells_what_it_looked_at_and_guesses_nothing() {
    let bed = Bed::new("replicas:1", 1).await;
    fill(&bed, 60).await;
    bed.set(serde_json::json!({"timers": {"lifecycle_day_secs": 1}})).await;
    bed.end_after_a_day().await;
    let lifecycle = bed.until(JobName::Lifecycle, "all objects end", |job| {
        assert_eq!((job.remaining, job.speed.time_left), (Default::default(), None));
        job.figures.actions.get("expired") == Some(&60) && job.figures.finished.is_some()
    });
    let lifecycle = lifecycle.await;
    assert!(lifecycle.figures.actions["looked_at"] >= 60, "{lifecycle:?}");
    assert_eq!(lifecycle.figures.done, 60);
    assert_eq!(copies_on(&bed, 1).await, 60, "their copies stay for the grace of readers");
}

#[tokio::test]
async fn what_is_left_to_convert_is_told_before_a_pass_within_it_and_after() {
    let bed = Bed::new("replicas:1", 3).await;
    fill(&bed, 600).await;
    bed.until(JobName::Convert, "the first pass", |job| job.figures.passes == 1).await;
    assert_eq!(bed.job(JobName::Convert).await.remaining.objects, Some(0));
    bed.set(serde_json::json!({"jobs": {"convert": {"paused": true}}, "redundancy": "replicas:2"})).await;
    let paused = bed.job(JobName::Convert).await;
    assert_eq!((paused.state, paused.remaining.objects), (JobState::Paused, Some(600)));
    bed.set(serde_json::json!({"jobs": {"convert": {"paused": null}}})).await;
    loop {
        let job = bed.job(JobName::Convert).await;
        if job.figures.finished.is_some() && job.figures.passes > 1 {
            assert_eq!(job.remaining.objects, Some(0));
            break;
        }
        let left = job.remaining.objects.unwrap();
        assert!(left > 0 || bed.named().await.values().filter(|on| on.len() == 2).count() == 600, "{job:?}");
        bed.jobs.control().wake(JobName::Convert);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_only_a_look_can_tell_is_told_once_it_was_looked_at() {
    let bed = Bed::new("replicas:1", 1).await;
    bed.put("k", b"v").await;
    bed.until(JobName::Compact, "a look", |job| job.remaining.objects == Some(0)).await;
    let orphans = bed.job(JobName::Orphans).await;
    assert_eq!((orphans.figures.passes, orphans.remaining.objects), (0, None), "no search has begun");
    bed.jobs.control().run(JobName::Orphans);
    let orphans = bed.until(JobName::Orphans, "a search", |job| job.figures.passes == 1).await;
    assert_eq!((orphans.remaining.objects, orphans.figures.actions["looked_at"]), (Some(0), 1));
    assert_eq!(bed.job(JobName::TrimEvents).await.remaining.objects, None);
    // A shard that does not list leaves the search open.
    bed.set_away(1, true);
    bed.jobs.control().run(JobName::Orphans);
    let orphans = bed.until(JobName::Orphans, "another search", |job| job.figures.passes == 2).await;
    assert_eq!((orphans.remaining.objects, orphans.figures.waiting), (None, 1));
}

/// A bed with 60 objects twice, whose first shard was given up and is made anew elsewhere, and how much it held.
async fn given_up() -> (Bed, usize) {
    let bed = Bed::new("replicas:2", 3).await;
    fill(&bed, 60).await;
    let held = copies_on(&bed, 1).await;
    bed.set_away(1, true);
    bed.until(JobName::AttachShards, "the loss is seen", |job| job.remaining.objects == Some(1)).await;
    bed.topology.give_up(ShardId(1), false, "test").await.unwrap();
    bed.until(JobName::Rebuild, "what it held is elsewhere", |job| job.figures.finished.is_some()).await;
    (bed, held)
}

/// The other shards lose everything, and that is found and not healed: shard 1 has the last good copies.
async fn lose_all_elsewhere(bed: &Bed) {
    bed.set(serde_json::json!({"jobs": {"heal": {"paused": true}}})).await;
    for number in [2, 3] {
        bed.wipe(number).await;
    }
    bed.until(JobName::Heal, "the loss is found", |heal| {
        // Asked again: a pass that was under way has passed some of it.
        bed.jobs.control().run(JobName::Scrub);
        heal.remaining.objects == Some(60)
    })
    .await;
}

#[tokio::test]
async fn a_pass_over_a_shard_that_came_back_counts_for_that_return_alone() {
    let (bed, held) = given_up().await;
    assert_eq!((copies_on(&bed, 1).await, bed.standing(1).await.len()), (0, held));
    // An earlier return ended in the middle of its pass, beyond what had been let go by then.
    let earlier = JobRecord {
        goal: ShardId(1).0.to_be_bytes().to_vec(),
        cursor: Reconciling::Named(None).encode(),
        ..JobRecord::default()
    };
    bed.note_progress(JobName::Reconcile, &earlier).await;

    // Now the others lose everything, and it comes back with the last good copies.
    lose_all_elsewhere(&bed).await;
    bed.set_away(1, false);
    bed.topology.take_back(ShardId(1), "test").await.unwrap();
    bed.until(JobName::Reconcile, "it is held against the catalog", |job| job.figures.passes > 0).await;
    bed.until(JobName::Reclaim, "what nobody needs is deleted", |job| job.figures.finished.is_some()).await;
    assert_eq!((copies_on(&bed, 1).await, bed.standing(1).await.len()), (held, held));
}

#[tokio::test]
async fn a_pass_that_could_not_read_everything_proves_nothing_after_a_restart_either() {
    let (bed, held) = given_up().await;
    lose_all_elsewhere(&bed).await;
    bed.set(serde_json::json!({"jobs": {"reconcile": {"paused": true}}})).await;
    bed.set_away(1, false);
    bed.topology.take_back(ShardId(1), "test").await.unwrap();
    // The process before this one came by copies that did not answer.
    let revision = bed.topology.get(ShardId(1)).await.unwrap().revision;
    let seen = ShardPass { shard: ShardId(1), copies: 0, bytes: 0, bad: 0, unreachable: held as u64 };
    let before = JobRecord {
        goal: [&ShardId(1).0.to_be_bytes()[..], &revision.to_be_bytes()].concat(),
        cursor: Reconciling::Named(None).encode(),
        shards: vec![seen],
        ..JobRecord::default()
    };
    bed.note_progress(JobName::Reconcile, &before).await;
    bed.set(serde_json::json!({"jobs": {"reconcile": {"paused": null}}})).await;
    bed.until(JobName::Reconcile, "it is held against the catalog again", |job| job.figures.passes > 1).await;
    bed.until(JobName::Reclaim, "what nobody needs is deleted", |job| job.figures.finished.is_some()).await;
    assert_eq!((copies_on(&bed, 1).await, bed.standing(1).await.len()), (held, held));
}

#[tokio::test]
async fn a_drain_that_is_cancelled_moves_nothing_more() {
    let bed = Bed::new("replicas:1", 3).await;
    fill(&bed, 600).await;
    let draining = |draining| cofre_blobs::ShardChange { draining: Some(draining), ..Default::default() };
    bed.set(serde_json::json!({"jobs": {"rebalance": {"paused": true}}})).await;
    bed.topology.change(ShardId(1), &draining(true), None, "test").await.unwrap();
    bed.hold_after_first_step(JobName::Drain).await;
    bed.topology.change(ShardId(1), &draining(false), None, "test").await.unwrap();
    let left = copies_on(&bed, 1).await;
    assert!(left > 50, "{left} are left");
    bed.go_on(JobName::Drain).await;
    bed.until(JobName::Drain, "nothing is left to do", |job| job.figures.finished.is_some()).await;
    // A step may have been under way when it was held.
    assert!(copies_on(&bed, 1).await + 16 >= left);
}

#[tokio::test]
async fn what_is_copied_behind_a_conversion_is_converted_before_it_has_ended() {
    let bed = Bed::new("replicas:1", 3).await;
    fill(&bed, 2_000).await;
    bed.set(serde_json::json!({"redundancy": "replicas:2"})).await;
    bed.hold_after_first_step(JobName::Convert).await;
    assert!(!bed.stands_as_wanted("k999").await, "it is the last of them");
    bed.copy("k999", "behind").await;
    bed.go_on(JobName::Convert).await;
    bed.until(JobName::Convert, "it has ended", |job| job.figures.finished.is_some()).await;
    for key in ["k0", "k999", "behind"] {
        assert!(bed.stands_as_wanted(key).await, "{key}");
    }
}
