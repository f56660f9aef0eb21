use crate::bed::{Bed, bucket};
use cofre_objects::{
    Condition, ConfigKind, Error, Pages, ReplaceKey, RoutingRule, RulesError, Unset, WebRedirect, Website,
};

fn pages() -> Pages {
    Pages { index: "index.html".to_owned(), ..Pages::default() }
}

fn with_rule(condition: Option<Condition>, redirect: WebRedirect) -> Website {
    Website::Pages(Pages { rules: vec![RoutingRule { condition, redirect }], ..pages() })
}

fn to_host(host: &str) -> WebRedirect {
    WebRedirect { host: Some(host.to_owned()), ..WebRedirect::default() }
}

#[tokio::test]
async fn a_website_is_kept_told_and_forgotten() {
    let bed = Bed::with_bucket().await;
    let (objects, name) = (&bed.objects, bucket("b"));
    let unset = |error: Error| matches!(error, Error::NoSuchConfiguration(Unset::Config(ConfigKind::Website)));
    assert!(unset(objects.website(&bed.alice, &name).await.unwrap_err()));
    assert!(unset(objects.website_to_serve(&name).await.unwrap_err()));
    assert!(matches!(objects.website_to_serve(&bucket("none")).await, Err(Error::NoSuchBucket)));
    for website in [
        Website::Pages(Pages { error: Some("oops/404.html".to_owned()), ..pages() }),
        Website::Elsewhere { host: "example.com:8080".to_owned(), protocol: None },
    ] {
        assert!(matches!(objects.put_website(&bed.bob, &name, &website).await, Err(Error::AccessDenied)));
        objects.put_website(&bed.alice, &name, &website).await.unwrap();
        assert_eq!(objects.website(&bed.alice, &name).await.unwrap(), website);
        assert_eq!(*objects.website_to_serve(&name).await.unwrap(), website);
        assert!(matches!(objects.website(&bed.bob, &name).await, Err(Error::AccessDenied)));
    }
    objects.delete_bucket_config(&bed.alice, &name, ConfigKind::Website).await.unwrap();
    assert!(unset(objects.website_to_serve(&name).await.unwrap_err()));
}

#[tokio::test]
async fn broken_websites_are_refused_by_the_element() {
    let bed = Bed::with_bucket().await;
    let put = async |website: &Website| match bed.objects.put_website(&bed.alice, &bucket("b"), website).await {
        Ok(()) => String::new(),
        Err(Error::Rules(RulesError::Malformed(why))) => format!("malformed: {why}"),
        Err(Error::Rules(RulesError::Request(why))) => format!("request: {why}"),
        Err(Error::Rules(RulesError::Argument(why))) => format!("argument: {why}"),
        Err(other) => panic!("{other}"),
    };
    let index = |index: &str| Website::Pages(Pages { index: index.to_owned(), ..pages() });
    let status = |status| Some(Condition { status: Some(status), prefix: None });
    let code = |code| WebRedirect { status: Some(code), ..WebRedirect::default() };
    let key = |key| WebRedirect { key: Some(key), ..WebRedirect::default() };
    let rules = |count| {
        let rule = RoutingRule { condition: None, redirect: to_host("h") };
        Website::Pages(Pages { rules: vec![rule; count], ..pages() })
    };
    for good in [
        rules(50),
        with_rule(status(404), key(ReplaceKey::Prefix(String::new()))),
        with_rule(status(599), code(301)),
        with_rule(None, code(399)),
    ] {
        assert_eq!(put(&good).await, "");
    }
    let long = "k".repeat(1025);
    for (website, start, element) in [
        (index(""), "argument", "IndexDocument"),
        (index("a/index.html"), "argument", "IndexDocument"),
        (Website::Pages(Pages { error: Some(String::new()), ..pages() }), "malformed", "ErrorDocument"),
        (rules(51), "request", "RoutingRules"),
        (with_rule(Some(Condition::default()), to_host("h")), "request", "Condition"),
        (with_rule(None, WebRedirect::default()), "malformed", "Redirect"),
        (with_rule(status(399), to_host("h")), "request", "error code (399)"),
        (with_rule(status(600), to_host("h")), "request", "error code (600)"),
        (with_rule(None, code(300)), "request", "redirect code (300)"),
        (with_rule(None, code(200)), "request", "redirect code (200)"),
        (with_rule(None, to_host("")), "argument", "HostName"),
        (with_rule(None, to_host("h\r\nSet-Cookie: a")), "argument", "HostName"),
        (with_rule(None, key(ReplaceKey::Whole(long))), "argument", "ReplaceKeyWith"),
        (Website::Elsewhere { host: String::new(), protocol: None }, "argument", "HostName"),
    ] {
        let why = put(&website).await;
        assert!(why.starts_with(start) && why.contains(element), "{website:?}: {why}");
    }
}
