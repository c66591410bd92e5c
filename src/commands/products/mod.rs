//! `products list` and `products update`.

mod list;
mod selection;
mod update;

use super::{CommandOutput, Context};
use crate::cli::ProductsCommand;
use crate::error::Result;

pub async fn run(command: ProductsCommand, context: &Context<'_>) -> Result<CommandOutput> {
    match command {
        ProductsCommand::List(args) => list::run(&args, context).await,
        ProductsCommand::Update(args) => update::run(args, context).await,
    }
}
