//! The executable: the runtime and the exit code, nothing else.

#[cfg(all(target_os = "linux", target_env = "gnu", panic = "abort"))]
mod unwinding;

use std::io;
use std::process::ExitCode;

use mscommerce::{Environment, Ui};

fn main() -> io::Result<ExitCode> {
    if let Some(code) = mscommerce::completed() {
        return Ok(ExitCode::from(code));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(mscommerce::run(std::env::args_os(), Environment::from_process(), Ui::from_process()));
    // A prompt that was interrupted leaves its thread reading; waiting for it would wait for the person. And what the
    // runtime holds, the system takes back faster.
    std::process::exit(code.into())
}
