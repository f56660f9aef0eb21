/// Forms, each behind the size of the pieces that it comes in.
pub fn seeds() -> Vec<Vec<u8>> {
    let part = |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n");
    let key = part("name=\"key\"; filename=\"key\"", "user/${filename}");
    let file = part("name=\"file\"; filename=\"C:\\dir\\a.txt\"", "one\r\n-two\r\n--");
    let late = part("name=submit", "Upload");
    let texts = [
        format!("\u{7}{key}{file}--b--\r\n"),
        format!("\u{1}preamble\r\n{key}{}{file}{late}--b--", part("name=\"x\"; filename*=utf-8''%41", "")),
        format!("\u{20}{key}{file}"),
        "\u{3}--b--".to_owned(),
    ];
    texts.into_iter().map(String::into_bytes).collect()
}

/// Policies in JSON.
pub fn policy_seeds() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"expiration":"2033-01-01T00:00:00.000Z","conditions":[{"bucket":"b"},["starts-with","$key","user/\$\v"]]}"#,
        r#"{"expiration":"2033-01-01T00:00:00Z","conditions":[["eq","$acl","private"],["content-length-range",1,"10"]]}"#,
        r#"{"expiration":"2033-01-01T00:00:00Z","conditions":[{}]}"#,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
