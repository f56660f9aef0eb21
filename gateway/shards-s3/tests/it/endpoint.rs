//! An S3 endpoint in this process: s3s-fs on loopback.

use cofre_runtime::{Task, spawn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;

pub const ACCESS_KEY: &str = "shards-access-key";
pub const SECRET_KEY: &str = "shards-secret-key";
pub const BUCKET: &str = "shards";
pub const PREFIX: &str = "node-1/";

/// Ends with the test.
pub struct Endpoint {
    pub address: SocketAddr,
    folder: tempfile::TempDir,
    task: Task<()>,
}

impl Endpoint {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let service = service.clone();
                spawn(async move {
                    // A client that goes away is no news.
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, folder, task }
    }

    /// Where s3s-fs keeps what is under the prefix.
    pub fn shard(&self) -> PathBuf {
        self.bucket().join(PREFIX)
    }

    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// The objects of blobs.
    pub fn blobs(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.shard().join("blobs")) else { return Vec::new() };
        let mut all: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    }

    /// Files of uploads under way.
    pub fn uploads(&self) -> usize {
        let names = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().contains("upload")).count()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}
