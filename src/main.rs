//! The executable: handles a shell completion request, or runs a command on a tokio runtime.

use std::io;
use std::process::ExitCode;

use mscommerce::{Environment, Input};

fn main() -> io::Result<ExitCode> {
    if let Some(code) = mscommerce::handle_completion_request() {
        return Ok(ExitCode::from(code));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code =
        runtime.block_on(mscommerce::run(std::env::args_os(), Environment::from_process(), Input::from_process()));
    // Dropping the runtime would wait for the thread of an interrupted prompt, which is still reading.
    std::process::exit(code.into())
}
