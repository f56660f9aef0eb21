use crate::bed::Bed;
use axum::http::StatusCode;
use cofre_iam::{Action, ConditionTrace, Decision, Explanation, RequestId, RequestReport, Rule, StatementTrace};
use cofre_types::Timestamp;
use serde_json::json;
use std::time::Duration;

fn decision() -> Explanation {
    let condition = ConditionTrace {
        operator: "NotIpAddress".to_owned(),
        key: "aws:sourceip".to_owned(),
        saw: Some(vec!["192.0.2.1".to_owned()]),
        holds: true,
    };
    let statement = StatementTrace {
        policy: 0,
        index: 2,
        id: Some("office".to_owned()),
        denies: true,
        principal: true,
        resource: true,
        conditions: vec![condition],
        applies: true,
    };
    Explanation {
        action: Action::GetObject,
        resource: "arn:aws:s3:::bucket/key".to_owned(),
        owner: None,
        decision: Decision::Deny,
        rule: Rule::PolicyDenies { statement: Some(2) },
        statements: vec![statement],
        steps: 1,
    }
}

#[tokio::test]
async fn the_report_of_a_request_is_told_while_it_is_kept() {
    let bed = Bed::new().await;
    let id = RequestId::parse("0123456789ABCDEF").unwrap();
    bed.reports.keep(RequestReport {
        request_id: id,
        at: Timestamp(1_700_000_000_000_000_000),
        account: None,
        access_key: None,
        ip: Some([192, 0, 2, 1].into()),
        method: "PUT".to_owned(),
        host: None,
        path: "/bucket/key".to_owned(),
        operation: "",
        status: 403,
        code: Some("SignatureDoesNotMatch".to_owned()),
        message: None,
        cause: None,
        details: vec![("StringToSign".to_owned(), "AWS4-HMAC-SHA256\n".to_owned())],
        decisions: vec![decision()],
        hints: vec!["host is signed".to_owned()],
        parts: vec![("operation", Duration::from_micros(42))],
    });
    let told = bed.get("/v1/requests/0123456789abcdef").await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text);
    let told = told.json();
    assert_eq!((&told["request_id"], &told["ip"]), (&"0123456789ABCDEF".into(), &"192.0.2.1".into()));
    assert_eq!(told["details"][0]["name"], "StringToSign");
    assert_eq!(told["parts"][0]["duration_us"], 42);
    let decision = json!([{
        "action": "s3:GetObject", "resource": "arn:aws:s3:::bucket/key", "rule": "the bucket's policy denies it: statement 2",
        "statements": [{
            "index": 2, "sid": "office", "effect": "Deny", "principal": true, "resource": true, "applies": true,
            "conditions": [{"operator": "NotIpAddress", "key": "aws:sourceip", "saw": ["192.0.2.1"], "holds": true}],
        }],
    }]);
    assert_eq!(told["decisions"], decision);
    assert!(told.get("operation").is_none() && told.get("account").is_none());
    for unknown in ["0123456789ABCDEE", "1", "%00"] {
        assert_eq!(bed.get(&format!("/v1/requests/{unknown}")).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
}
