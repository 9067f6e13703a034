//! What cleans up behind a server when this process dies, however it ends.
//!
//! In: the folder of a server that is about to be made. Out: a process that leads the group which initdb and the server
//! join, and that outlives us only to end them and to remove the folder.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::machine::in_group;

/// Its input is a pipe that only we hold, so reading it ends when we do. An initdb that runs is told to end and left to finish its step: its
/// child would leave shared memory behind, which it has no handlers to give back (`bootstrap_signals`, bootstrap.c). Then it stops its
/// group again and again: a server that was about to start may join late. SIGQUIT is the immediate shutdown, and the server ends its own
/// children.
const SCRIPT: &str = "trap '' HUP INT TERM QUIT
read -r _
n=0
initdb=$(cat \"$1/initdb.pid\" 2>/dev/null)
if [ -n \"$initdb\" ]; then
    kill -TERM \"$initdb\" 2>/dev/null
    while [ $n -lt 100 ] && kill -0 \"$initdb\" 2>/dev/null; do
        n=$((n + 1))
        sleep 0.1
    done
    n=0
fi
while [ $n -lt 20 ]; do
    kill -QUIT 0
    rm -rf \"$1\"
    n=$((n + 1))
    sleep 0.1
done";

/// A running guard; dropping it ends it, and with it whatever is left of its group.
#[derive(Debug)]
pub(super) struct Guard(Option<Child>);

impl Guard {
    /// Without a shell there is no guard; the server works all the same.
    pub fn start(folder: &Path) -> Guard {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "pgassay-guard"]).arg(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C reaches us, and not the group: we stop the server in our own time.
        Guard(in_group(&mut command, 0).spawn().ok())
    }

    /// The process group for what the guard has to end; a new one without a guard.
    pub fn group(&self) -> i32 {
        self.0.as_ref().and_then(|child| i32::try_from(child.id()).ok()).unwrap_or(0)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
