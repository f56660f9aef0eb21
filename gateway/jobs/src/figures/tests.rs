use super::*;
use cofre_runtime::ManualClock;

fn shared() -> (ManualClock, JobFigures) {
    let manual = ManualClock::at(1);
    let shared = JobFigures::new(manual.clock(), Duration::ZERO);
    (manual, shared)
}

fn status(shared: &JobFigures) -> JobStatus {
    shared.status("heal", WorkerStatus::default())
}

/// A step that takes so long, does so much, and finds more to do or not.
fn step(manual: &ManualClock, shared: &JobFigures, takes: Duration, objects: u64, more: bool) {
    shared.begin_step();
    manual.advance(takes);
    shared.done(objects, objects * 10);
    shared.end_step(more, false);
}

#[test]
fn a_job_that_gets_nothing_done_is_stuck_and_forecasts_nothing() {
    let (manual, shared) = shared();
    assert_eq!(status(&shared).state, JobState::Idle);
    shared.note_remaining(Remaining { objects: Some(20), bytes: None });
    assert_eq!((status(&shared).state, status(&shared).speed), (JobState::Running, Speed::default()));
    step(&manual, &shared, Duration::from_secs(5), 10, true);
    let told = status(&shared);
    assert_eq!(told.speed.objects_per_second, Some(2.0));
    assert_eq!(told.speed.time_left, Some(Duration::from_secs(10)));
    manual.advance(STUCK_AFTER);
    assert_eq!((status(&shared).state, status(&shared).speed.time_left), (JobState::Stuck, None));
    shared.got_on();
    assert_eq!(status(&shared).state, JobState::Running);
    manual.advance(STUCK_AFTER);
    step(&manual, &shared, Duration::ZERO, 10, true);
    assert_eq!(status(&shared).state, JobState::Running);
    shared.set_paused(true);
    let told = status(&shared);
    assert_eq!((told.state, told.speed), (JobState::Paused, Speed::default()));
}

#[test]
fn the_first_look_at_a_job_that_runs_tells_its_rate() {
    let (manual, shared) = shared();
    manual.advance(Duration::from_secs(1_000));
    for _ in 0..5 {
        step(&manual, &shared, Duration::from_secs(1), 100, true);
        manual.advance(Duration::from_secs(1));
    }
    assert_eq!(status(&shared).speed.objects_per_second, Some(50.0), "rests within the pass count");
    assert_eq!(status(&shared).speed.objects_per_second, Some(50.0), "and a look changes nothing");
}

#[test]
fn a_long_step_tells_the_rate_once_it_did_something() {
    let (manual, shared) = shared();
    shared.begin_step();
    manual.advance(Duration::from_secs(30));
    assert_eq!(status(&shared).speed, Speed::default());
    shared.done(60, 0);
    let told = status(&shared);
    assert_eq!((told.state, told.speed.objects_per_second), (JobState::Running, Some(2.0)));
}

#[test]
fn the_rate_of_short_passes_is_that_of_their_work_and_not_of_the_rests_between() {
    let (manual, shared) = shared();
    let tenth = Duration::from_millis(100);
    for _ in 0..20 {
        step(&manual, &shared, tenth, 7, true);
        shared.begin_step();
        shared.end_step(false, false);
        let told = status(&shared);
        assert_eq!((told.state, told.speed), (JobState::Idle, Speed::default()));
        manual.advance(Duration::from_secs(5));
    }
    step(&manual, &shared, tenth, 7, true);
    let rate = status(&shared).speed.objects_per_second.unwrap();
    assert!((rate - 70.0).abs() < 1e-6, "{rate}");
    // After a long rest what was says nothing any more.
    shared.end_step(false, false);
    manual.advance(Duration::from_secs(60));
    step(&manual, &shared, tenth, 700, true);
    assert_eq!(status(&shared).speed, Speed::default());
    step(&manual, &shared, 9 * tenth, 0, true);
    assert_eq!(status(&shared).speed.objects_per_second, Some(700.0));
}

#[test]
fn a_pause_is_no_slowness() {
    let (manual, shared) = shared();
    shared.note_remaining(Remaining { objects: Some(100), bytes: None });
    step(&manual, &shared, Duration::from_secs(2), 20, true);
    shared.set_paused(true);
    manual.advance(Duration::from_secs(30));
    shared.set_paused(false);
    assert_eq!(status(&shared).speed.objects_per_second, Some(10.0));
}

#[test]
fn a_job_that_finds_nothing_to_do_in_much_gets_on_all_the_same() {
    let (manual, shared) = shared();
    shared.note_remaining(Remaining { objects: Some(200), bytes: None });
    for _ in 0..4 {
        shared.begin_step();
        manual.advance(STUCK_AFTER / 2);
        shared.passed(30);
        shared.end_step(true, false);
        let told = status(&shared);
        assert_eq!((told.state, told.figures.done), (JobState::Running, 0));
        assert_eq!(told.speed.objects_per_second, Some(1.0));
    }
}

#[test]
fn a_job_that_rests_long_is_not_stuck_while_it_may_rest() {
    let manual = ManualClock::at(1);
    let shared = JobFigures::new(manual.clock(), Duration::from_secs(300));
    shared.note_remaining(Remaining { objects: Some(1), bytes: None });
    manual.advance(Duration::from_secs(359));
    assert_eq!(status(&shared).state, JobState::Running);
    manual.advance(Duration::from_secs(1));
    assert_eq!(status(&shared).state, JobState::Stuck);
}
