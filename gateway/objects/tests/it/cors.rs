use crate::bed::{Bed, bucket};
use cofre_objects::{ConfigKind, Cors, CorsMethod, CorsRule, Error, RulesError, Unset};

fn rule() -> CorsRule {
    CorsRule { origins: vec!["http://*.example.com".to_owned()], methods: vec![CorsMethod::Get], ..CorsRule::default() }
}

fn one(rule: CorsRule) -> Cors {
    Cors { rules: vec![rule] }
}

#[tokio::test]
async fn rules_are_kept_told_and_forgotten() {
    let bed = Bed::with_bucket().await;
    let (objects, name) = (&bed.objects, bucket("b"));
    let unset = |error: Error| matches!(error, Error::NoSuchConfiguration(Unset::Config(ConfigKind::Cors)));
    assert!(unset(objects.cors(&bed.alice, &name).await.unwrap_err()));
    assert!(objects.cors_for_browsers(&name).await.unwrap().is_none());
    for origin in ["http://*.example.com", "*"] {
        let rules = one(CorsRule { origins: vec![origin.to_owned()], ..rule() });
        objects.put_cors(&bed.alice, &name, &rules).await.unwrap();
        assert_eq!(objects.cors(&bed.alice, &name).await.unwrap(), rules);
        // Browsers are held against the new rules at once, also by another process.
        assert_eq!(objects.cors_for_browsers(&name).await.unwrap().as_deref(), Some(&rules));
        assert_eq!(bed.twin.cors_for_browsers(&name).await.unwrap().as_deref(), Some(&rules));
    }
    objects.delete_bucket_config(&bed.alice, &name, ConfigKind::Cors).await.unwrap();
    assert!(unset(objects.cors(&bed.alice, &name).await.unwrap_err()));
    assert!(objects.cors_for_browsers(&name).await.unwrap().is_none());
    assert!(objects.cors_for_browsers(&bucket("none")).await.unwrap().is_none());
}

#[tokio::test]
async fn rules_are_the_owners_to_set_and_see() {
    let bed = Bed::with_bucket().await;
    let name = bucket("b");
    let refused = |error: Error| matches!(error, Error::AccessDenied);
    assert!(refused(bed.objects.put_cors(&bed.bob, &name, &one(rule())).await.unwrap_err()));
    assert!(refused(bed.objects.put_cors(&bed.bob, &name, &Cors::default()).await.unwrap_err()), "rights come first");
    bed.objects.put_cors(&bed.alice, &name, &one(rule())).await.unwrap();
    assert!(refused(bed.objects.cors(&bed.bob, &name).await.unwrap_err()));
}

#[tokio::test]
async fn broken_rules_are_refused_by_the_field() {
    let bed = Bed::with_bucket().await;
    let many = |count: usize| Cors { rules: vec![rule(); count] };
    let texts = |text: &str| vec![text.to_owned()];
    let put = async |rules: &Cors| match bed.objects.put_cors(&bed.alice, &bucket("b"), rules).await {
        Ok(()) => String::new(),
        Err(Error::Rules(RulesError::Malformed(why))) => format!("malformed: {why}"),
        Err(Error::Rules(RulesError::Request(why))) => format!("request: {why}"),
        Err(Error::Rules(RulesError::Argument(why))) => format!("argument: {why}"),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(put(&many(100)).await, "");
    assert_eq!(put(&one(CorsRule { id: Some("i".repeat(255)), ..rule() })).await, "");
    let large = CorsRule { exposed: vec!["x".repeat(1000); 70], ..rule() };
    for (rules, start, field) in [
        (many(0), "malformed", "CORSRule"),
        (many(101), "request", "100 rules"),
        (one(CorsRule { id: Some("i".repeat(256)), ..rule() }), "argument", "ID"),
        (one(CorsRule { origins: Vec::new(), ..rule() }), "malformed", "AllowedOrigin"),
        (one(CorsRule { origins: texts(""), ..rule() }), "malformed", "AllowedOrigin"),
        (one(CorsRule { methods: Vec::new(), ..rule() }), "malformed", "AllowedMethod"),
        (one(CorsRule { origins: texts("http://*.*"), ..rule() }), "request", "AllowedOrigin \"http://*.*\""),
        (one(CorsRule { headers: texts("x-*-*"), ..rule() }), "request", "AllowedHeader \"x-*-*\""),
        (one(CorsRule { exposed: texts("x-*"), ..rule() }), "request", "ExposeHeader \"x-*\""),
        (one(CorsRule { exposed: texts("a\r\nb"), ..rule() }), "request", "ExposeHeader"),
        (one(large), "request", "64 KB"),
    ] {
        let why = put(&rules).await;
        assert!(why.starts_with(start) && why.contains(field), "{why}");
    }
}
