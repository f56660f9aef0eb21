use cofre_catalog::Memory;
use cofre_runtime::ManualClock;
use cofre_settings::{BootArgs, BootSettings, DynamicSettings, Patch, Secrets, Settings};
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Builder;

/// The file of boot settings, the document of dynamic ones, and merge patches to it.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(arguments) = BootArgs::parse(Path::new("cofre.toml"), text) {
        let _ = BootSettings::resolve(arguments, Secrets::default());
    }
    if let Ok(settings) = serde_json::from_str::<Settings>(text)
        && settings.validate().is_ok()
    {
        let written = serde_json::to_string(&settings).expect("settings are written");
        let again: Settings = serde_json::from_str(&written).expect("what was written is read");
        assert!(again == settings && again.validate().is_ok(), "{written}");
    }
    if let Ok(merge) = serde_json::from_str(text) {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(patch(merge));
    }
}

async fn patch(merge: serde_json::Value) {
    let clock = ManualClock::at(1).clock();
    let dynamic = DynamicSettings::open(Arc::new(Memory::new()), clock).await.expect("empty settings open");
    let patch = Patch { expected: 0, merge, author: "fuzz".to_owned(), note: String::new() };
    let before = dynamic.current();
    match dynamic.patch(patch).await {
        Ok(revised) => assert!(revised.settings.validate().is_ok(), "a patch made settings that are not valid"),
        Err(_) => assert!(dynamic.current() == before, "a patch that failed changed the settings"),
    }
}

/// Documents of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "data = \"/srv\"\nlisten = \"127.0.0.1:9000\"\nshards = [\"/a\", \"/b\"]\nredundancy = \"replicas:2\"\n",
        "{\"redundancy\":\"replicas:2\",\"quotas\":{\"bucket_bytes_max\":10},\"log_level\":\"warn\"}",
        "{\"timers\":{\"job_busy_share\":0.5,\"garbage_grace_secs\":60,\"stale_upload_secs\":0},\"quotas\":null}",
        "{\"cors_default\":{\"allowed_origins\":[\"https://app.example\",\"*\"]},\"rate_limits\":{\"burst\":1}}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
