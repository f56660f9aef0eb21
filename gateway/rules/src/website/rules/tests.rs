use super::*;

fn rule(prefix: Option<&str>, status: Option<u16>, redirect: WebRedirect) -> RoutingRule {
    let condition = Condition { prefix: prefix.map(str::to_owned), status };
    RoutingRule { condition: (condition != Condition::default()).then_some(condition), redirect }
}

fn to_prefix(prefix: &str) -> WebRedirect {
    WebRedirect { key: Some(ReplaceKey::Prefix(prefix.to_owned())), ..WebRedirect::default() }
}

fn site(rules: Vec<RoutingRule>) -> Website {
    Website::Pages(Pages { index: "index.html".to_owned(), error: Some("oops.html".to_owned()), rules })
}

fn key(moved: Option<Moved<'_>>) -> Option<String> {
    moved.map(|moved| format!("{}{}", moved.given, moved.kept))
}

#[test]
fn folders_show_their_index() {
    let site = site(Vec::new());
    for (asked, page, below) in [
        ("", "index.html", None),
        ("docs/", "docs/index.html", None),
        ("docs", "docs", Some("docs/index.html")),
        ("a/b.html", "a/b.html", Some("a/b.html/index.html")),
    ] {
        assert_eq!(site.page_of(asked), page);
        assert_eq!(site.index_below(asked).as_deref(), below);
    }
    assert_eq!(site.error_page(), Some("oops.html"));
}

#[test]
fn prefixes_and_keys_are_replaced() {
    let whole = WebRedirect { key: Some(ReplaceKey::Whole("error.html".to_owned())), ..WebRedirect::default() };
    let site = site(vec![
        rule(Some("docs/"), None, to_prefix("documents/")),
        rule(Some("images/"), None, whole),
        rule(Some("gone/"), None, to_prefix("")),
    ]);
    assert_eq!(key(site.moved("docs/a/b.html")).as_deref(), Some("documents/a/b.html"));
    assert_eq!(key(site.moved("images/a.png")).as_deref(), Some("error.html"));
    assert_eq!(key(site.moved("gone/here")).as_deref(), Some("here"));
    assert_eq!(site.moved("other"), None);
}

#[test]
fn a_rule_about_a_failure_waits_for_it() {
    let search = WebRedirect {
        host: Some("search.example".to_owned()),
        protocol: Some(WebProtocol::Https),
        status: Some(302),
        key: Some(ReplaceKey::Prefix("q/".to_owned())),
    };
    let site = site(vec![rule(Some("a/"), Some(404), search), rule(None, Some(403), to_prefix("403/"))]);
    assert_eq!(site.moved("a/b"), None);
    assert_eq!(site.moved_after("c", 404), None, "both conditions must hold");
    assert_eq!(site.moved_after("a/b", 416), None);
    assert_eq!(key(site.moved_after("a/b", 403)).as_deref(), Some("403/a/b"), "no prefix: before the key");
    let expected =
        Moved { status: 302, protocol: Some(WebProtocol::Https), host: Some("search.example"), given: "q/", kept: "b" };
    assert_eq!(site.moved_after("a/b", 404), Some(expected));
}

#[test]
fn the_first_rule_whose_condition_holds_acts() {
    let site = site(vec![
        rule(Some("a/b"), None, to_prefix("one/")),
        rule(Some("a/"), None, to_prefix("two/")),
        rule(None, None, to_prefix("all/")),
    ]);
    assert_eq!(key(site.moved("a/b/c")).as_deref(), Some("one//c"));
    assert_eq!(key(site.moved("a/c")).as_deref(), Some("two/c"));
    assert_eq!(key(site.moved("c")).as_deref(), Some("all/c"));
}

#[test]
fn a_site_can_be_elsewhere() {
    let site = Website::Elsewhere { host: "example.com".to_owned(), protocol: None };
    let moved = site.moved("a/b").unwrap();
    assert_eq!((moved.status, moved.host, moved.given, moved.kept), (301, Some("example.com"), "", "a/b"));
    assert_eq!(site.moved_after("a/b", 404), None);
}

/// The form in which websites stand in records of buckets: it must be read for ever.
#[test]
fn documents_keep_their_form() {
    let redirect = WebRedirect {
        host: Some("h".to_owned()),
        protocol: Some(WebProtocol::Https),
        status: Some(307),
        key: Some(ReplaceKey::Prefix("q/".to_owned())),
    };
    let whole = WebRedirect { key: Some(ReplaceKey::Whole("k".to_owned())), ..WebRedirect::default() };
    for (website, document) in [
        (
            site(vec![rule(Some("a/"), Some(404), redirect), rule(None, None, whole)]),
            r#"{"Pages":{"index":"index.html","error":"oops.html","rules":[{"condition":{"prefix":"a/","status":404},"redirect":{"host":"h","protocol":"https","status":307,"key":{"Prefix":"q/"}}},{"redirect":{"key":{"Whole":"k"}}}]}}"#,
        ),
        (
            Website::Elsewhere { host: "h".to_owned(), protocol: Some(WebProtocol::Http) },
            r#"{"Elsewhere":{"host":"h","protocol":"http"}}"#,
        ),
        (Website::Pages(Pages { index: "i".to_owned(), ..Pages::default() }), r#"{"Pages":{"index":"i"}}"#),
    ] {
        assert_eq!(serde_json::to_string(&website).unwrap(), document);
        assert_eq!(serde_json::from_str::<Website>(document).unwrap(), website);
    }
}
