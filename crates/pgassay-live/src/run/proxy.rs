//! A door to the shadow server for the command: a port of the loopback interface, and a password that only the command is given.
//!
//! Passes every message on as it is, and lets [`SessionState`] look at it. Refuses TLS and encryption by GSSAPI, as a server without
//! them does.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::record::Recorder;
use super::session::SessionState;
use crate::machine::connect;
use crate::shadow::protocol::{Message, Startup, message};

/// Codes of the first packet (pqcomm.h).
const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSSAPI: u32 = 80_877_104;

/// Between two looks at whether somebody wants in.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) struct Proxy {
    pub port: u16,
    pub password: String,
    pub recorder: Arc<Recorder>,
    stopped: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
}

struct Door {
    socket: PathBuf,
    password: String,
    recorder: Arc<Recorder>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    /// Listens for the command; `socket` is the server's.
    pub fn start(socket: &Path, password: String) -> io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (recorder, open) = (Arc::new(Recorder::default()), Arc::new(AtomicUsize::new(0)));
        let door = Door {
            socket: socket.to_owned(),
            password: password.clone(),
            recorder: recorder.clone(),
            open: open.clone(),
        };
        let stopped = Arc::new(AtomicBool::new(false));
        let told = stopped.clone();
        thread::spawn(move || accept(&listener, &Arc::new(door), &told));
        Ok(Proxy { port, password, recorder, stopped, open })
    }

    /// Waits until the sessions have ended, as long as they may take, and closes the door.
    pub fn stop(&self, limit: Duration) {
        let started = Instant::now();
        while self.open.load(Ordering::SeqCst) > 0 && started.elapsed() < limit {
            thread::sleep(PAUSE);
        }
        self.stopped.store(true, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

fn accept(listener: &TcpListener, door: &Arc<Door>, stopped: &AtomicBool) {
    while !stopped.load(Ordering::SeqCst) {
        match listener.accept() {
            Ok((stream, _)) => {
                let door = door.clone();
                thread::spawn(move || {
                    door.open.fetch_add(1, Ordering::SeqCst);
                    // A session that breaks off is the command's to complain of.
                    let _ = serve(stream, &door);
                    door.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

fn serve(mut command: TcpStream, door: &Door) -> io::Result<()> {
    command.set_nonblocking(false)?;
    command.set_nodelay(true)?;
    let startup = loop {
        let startup = Startup::read(&mut command)?;
        match startup.code {
            TLS | GSSAPI => command.write_all(b"N")?,
            CANCEL => return connect(&door.socket)?.write_all(&startup.raw),
            _ => break startup,
        }
    };
    if !is_let_in(&mut command, &door.password)? {
        return Ok(());
    }
    let mut server = connect(&door.socket)?;
    server.write_all(&startup.raw)?;
    let state = Arc::new(Mutex::new(SessionState::new(door.recorder.clone())));
    let back = {
        let (mut server, mut command, state) = (server.try_clone()?, command.try_clone()?, state.clone());
        thread::spawn(move || {
            let look = |message: &Message| lock(&state).server_sent(message);
            let result = pass_on(&mut server, &mut command, look);
            let _ = command.shutdown(Shutdown::Both);
            result
        })
    };
    let result = pass_on(&mut command, &mut server, |message| lock(&state).command_sent(message));
    let _ = server.shutdown(Shutdown::Write);
    let _ = back.join();
    result
}

fn lock(state: &Mutex<SessionState>) -> std::sync::MutexGuard<'_, SessionState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks for the password in clear text: it goes no further than the loopback interface, and opens nothing else.
fn is_let_in(command: &mut TcpStream, password: &str) -> io::Result<bool> {
    command.write_all(&message(b'R', &3_u32.to_be_bytes()))?;
    let answer = Message::read(command)?;
    if answer.is_some_and(|answer| answer.kind == b'p' && answer.body().text() == password) {
        return Ok(true);
    }
    let fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for the recording of pgassay\0\0";
    command.write_all(&message(b'E', fields))?;
    Ok(false)
}

fn pass_on(from: &mut impl Read, to: &mut impl Write, mut look: impl FnMut(&Message)) -> io::Result<()> {
    let mut from = io::BufReader::new(from);
    let mut waiting = Vec::new();
    while let Some(message) = Message::read(&mut from)? {
        look(&message);
        waiting.extend_from_slice(&message.raw);
        // What came together goes on together.
        if from.buffer().is_empty() {
            to.write_all(&waiting)?;
            waiting.clear();
        }
    }
    to.write_all(&waiting)
}
