use cofre_iam::{REPORT_TEXT_BYTES_MAX, REPORTS_BYTES_MAX, REPORTS_MAX, Reports, RequestId, RequestReport};
use cofre_runtime::Random;
use cofre_types::{AccountId, Timestamp};

fn report(id: RequestId, account: Option<u8>, status: u16) -> RequestReport {
    RequestReport {
        request_id: id,
        at: Timestamp(1),
        account: account.map(|byte| AccountId::from_bytes([byte; 32])),
        access_key: None,
        ip: None,
        method: "GET".to_owned(),
        host: None,
        path: "/bucket/key".to_owned(),
        operation: "GetObject",
        status,
        code: Some("AccessDenied".to_owned()),
        message: None,
        cause: None,
        details: Vec::new(),
        decisions: Vec::new(),
        hints: Vec::new(),
        parts: Vec::new(),
    }
}

#[test]
fn nobody_pushes_the_reports_of_others_out() {
    let (reports, random) = (Reports::default(), Random::seeded(5));
    let new = || RequestId::new(&random);
    let [quiet, failed, slow, anonymous] = [new(), new(), new(), new()];
    reports.keep(report(quiet, Some(1), 403));
    reports.keep(report(failed, None, 500));
    reports.keep(report(slow, None, 200));
    reports.keep(report(anonymous, None, 403));
    let mut loud = Vec::new();
    for _ in 0..3 * REPORTS_MAX {
        loud.push(new());
        reports.keep(report(loud[loud.len() - 1], Some(2), 403));
    }
    for id in [quiet, failed, slow, anonymous] {
        assert_eq!(reports.find(id).unwrap().request_id, id);
    }
    let kept = loud.iter().filter(|id| reports.find(**id).is_some()).count();
    assert_eq!(kept, REPORTS_MAX / 4);
    assert!(reports.find(loud[loud.len() - 1]).is_some() && reports.find(loud[0]).is_none());

    // Those without credentials push only each other out.
    for _ in 0..REPORTS_MAX {
        reports.keep(report(new(), None, 403));
    }
    assert!(reports.find(anonymous).is_none() && reports.find(quiet).is_some());
}

#[test]
fn reports_are_bounded_by_bytes_and_cut_between_characters() {
    let (reports, random) = (Reports::default(), Random::seeded(6));
    let ids: Vec<_> = (0..REPORTS_MAX).map(|_| RequestId::new(&random)).collect();
    for id in &ids {
        let mut long = report(*id, None, 403);
        long.path = "\u{1f600}".repeat(REPORT_TEXT_BYTES_MAX);
        long.details = vec![("CanonicalRequest".to_owned(), "x".repeat(REPORT_TEXT_BYTES_MAX + 1))];
        reports.keep(long);
    }
    let kept: Vec<_> = ids.iter().filter_map(|id| reports.find(*id)).collect();
    let bytes: usize = kept.iter().map(|kept| kept.path.len() + kept.details[0].1.len()).sum();
    assert!(kept.len() < ids.len() && bytes <= REPORTS_BYTES_MAX && bytes > REPORTS_BYTES_MAX / 2, "{bytes}");
    assert!(kept.iter().all(|kept| kept.path.len() <= REPORT_TEXT_BYTES_MAX));
    assert_eq!(kept.last().unwrap().request_id, ids[ids.len() - 1]);
}

#[test]
fn ids_are_read_as_they_are_written() {
    let id = RequestId::new(&Random::seeded(7));
    assert_eq!(RequestId::parse(&id.to_string()), Some(id));
    assert_eq!(RequestId::parse(&id.to_string().to_lowercase()), Some(id));
    for wrong in ["", "1", "00000000000000000", "zzzzzzzzzzzzzzzz", "+000000000000001"] {
        assert_eq!(RequestId::parse(wrong), None, "{wrong}");
    }
}
