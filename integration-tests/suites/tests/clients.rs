#[test]
fn a() {
    let _ = aws_sdk_s3::Config::builder().http_client(aws_smithy_http_client::Builder::new().build_http());
}
