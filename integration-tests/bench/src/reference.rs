//! s3s-fs as a library, behind a listener with TCP_NODELAY: its own binary leaves Nagle's algorithm
//! on, and a small GET then waits 40 ms for a delayed acknowledgement.

use anyhow::{Context, Result, anyhow};
use cofre_runtime::spawn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::TcpListener;

/// Serves until the process is killed.
pub fn serve(root: &Path, listen: SocketAddr, access_key: &str, secret_key: &str) -> Result<()> {
    let files = FileSystem::new(root).map_err(|error| anyhow!("s3s-fs: {error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
    let service = builder.build();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            let service = service.clone();
            spawn(async move {
                // A client that goes away is no news.
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
            });
        }
    })
}
