//! Log lines on their way to standard error.
//!
//! Requests append lines to a buffer; one thread writes the buffer out, a few hundred times a second
//! at most. To wake a thread for each line costs a small machine more than the line does.
//!
//! # Limits
//! At [`WAITING_BYTES_MAX`] whoever logs waits for the reader of standard error: no line is lost while
//! the process lives. A kill loses the lines of the last [`GATHER`].

use cofre_runtime::thread;
use parking_lot::{Condvar, Mutex};
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Bytes of lines that wait for a slow reader.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Shared {
    lines: Mutex<Lines>,
    /// The first line of a buffer is there, or the last of all.
    filled: Condvar,
    /// There is room again.
    emptied: Condvar,
}

#[derive(Default)]
struct Lines {
    waiting: Vec<u8>,
    closed: bool,
}

/// Where lines go in. Cloning costs a reference count.
#[derive(Clone)]
pub(super) struct LogLines(Arc<Shared>);

/// Writes what is left when it is dropped.
pub struct LogWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the thread that writes lines to `output`.
///
/// # Errors
/// If the operating system has no thread to give.
pub(super) fn start(output: impl Write + Send + 'static) -> io::Result<(LogLines, LogWriter)> {
    let shared = Arc::new(Shared::default());
    let theirs = Arc::clone(&shared);
    let thread = thread("log-writer", move || theirs.write_out(output))?;
    Ok((LogLines(Arc::clone(&shared)), LogWriter { shared, thread: Some(thread) }))
}

impl Shared {
    fn write_out(&self, mut output: impl Write) {
        let mut writing = Vec::new();
        loop {
            let closed = self.take(&mut writing);
            // There is no one to tell that the log cannot be written.
            let _ = output.write_all(&writing).and_then(|()| output.flush());
            writing.clear();
            if closed {
                return;
            }
        }
    }

    /// Waits for lines and takes them; says whether they are the last.
    fn take(&self, writing: &mut Vec<u8>) -> bool {
        let mut lines = self.lines.lock();
        while lines.waiting.is_empty() && !lines.closed {
            self.filled.wait(&mut lines);
        }
        if !lines.closed && lines.waiting.len() < WAITING_BYTES_MAX {
            // Only the end, or a full buffer, wakes it before the time is over.
            self.filled.wait_for(&mut lines, GATHER);
        }
        mem::swap(&mut lines.waiting, writing);
        self.emptied.notify_all();
        lines.closed
    }

    fn append(&self, line: &[u8]) {
        let mut lines = self.lines.lock();
        while lines.waiting.len() >= WAITING_BYTES_MAX && !lines.closed {
            self.filled.notify_one();
            self.emptied.wait(&mut lines);
        }
        let first = lines.waiting.is_empty();
        lines.waiting.extend_from_slice(line);
        drop(lines);
        if first {
            self.filled.notify_one();
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.shared.lines.lock().closed = true;
        self.shared.filled.notify_all();
        self.shared.emptied.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has no panic to hand on.
            let _ = thread.join();
        }
    }
}

impl Write for &LogLines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.append(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogLines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// An output that hands on what it gets, once it is told to go on.
    struct Slow {
        seen: Sender<Vec<u8>>,
        go: Receiver<()>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.seen.send(bytes.to_vec()).expect("the test listens");
            // At the end nobody tells it any more.
            let _ = self.go.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_whole_and_in_order_however_slow_the_reader() {
        let (seen, lines) = channel();
        let (go, gone) = channel();
        let (writer, guard) = start(Slow { seen, go: gone }).expect("it starts");
        let count = 3 * WAITING_BYTES_MAX / 1024;
        let line = |index: usize| format!("{index:01023}\n").into_bytes();
        let logging = thread("logging", move || {
            for index in 0..count {
                (&writer).write_all(&line(index)).expect("it takes lines");
            }
        });
        let mut all = Vec::new();
        while all.len() < count * 1024 {
            let some = lines.recv().expect("lines come");
            assert!(some.len() <= WAITING_BYTES_MAX + 1024, "{} bytes waited", some.len());
            all.extend(some);
            go.send(()).expect("it waits");
        }
        logging.expect("it starts").join().expect("it ends");
        drop(go);
        drop(guard);
        assert!(all.chunks(1024).enumerate().all(|(index, found)| found == line(index)));
    }

    #[test]
    fn the_end_writes_what_is_left() {
        let (seen, lines) = channel();
        let (_go, gone) = channel();
        let (writer, guard) = start(Slow { seen, go: gone }).expect("it starts");
        (&writer).write_all(b"last words\n").expect("it takes lines");
        drop(_go);
        drop(guard);
        assert_eq!(lines.try_iter().flatten().collect::<Vec<_>>(), b"last words\n");
    }
}
