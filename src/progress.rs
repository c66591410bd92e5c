//! How far a longer work is: a bar in the last line of the terminal.
//!
//! Written by hand: a library for it brings its own measuring of time and the system's mathematics with it, which every
//! start of the executable would pay for.

/// Where the width of the terminal is not known.
const USUAL_COLUMNS: u16 = 80;

/// What stands beside the bar's cells, and room for a key that is pressed: it must not make a second line of the bar.
const BESIDE: u16 = 30;

/// A work of so many steps, and how many of them are done.
pub struct Bar {
    total: usize,
    done: usize,
    columns: u16,
}

impl Bar {
    /// A bar for a terminal of so many columns.
    pub fn new(total: usize, columns: Option<u16>) -> Self {
        Self { total, done: 0, columns: columns.unwrap_or(USUAL_COLUMNS) }
    }

    /// One step further.
    pub fn advance(&mut self) {
        self.done = (self.done + 1).min(self.total);
    }

    /// What draws it over itself: it never grows shorter.
    pub fn drawn(&self) -> String {
        let Self { total, done, columns } = *self;
        let cells = usize::from(columns.saturating_sub(BESIDE).clamp(1, 40));
        let full = cells * done / total.max(1);
        let head = if full < cells { ">" } else { "" };
        format!(
            "\rChanging [{head:=>filled$}{blank:blanks$}] {done}/{total}",
            filled = full + head.len(),
            blank = "",
            blanks = cells - full - head.len()
        )
    }

    /// What takes it away. Blanks do so on every terminal.
    pub fn erased(&self) -> String {
        format!("\r{:columns$}\r", "", columns = usize::from(self.columns.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fills_up_with_the_steps_and_fits_the_terminal() {
        let mut bar = Bar::new(4, Some(40));
        let mut shown = vec![bar.drawn()];
        for _ in 0..5 {
            bar.advance();
            shown.push(bar.drawn());
        }
        let expected = [
            "\rChanging [>         ] 0/4",
            "\rChanging [==>       ] 1/4",
            "\rChanging [=====>    ] 2/4",
            "\rChanging [=======>  ] 3/4",
            "\rChanging [==========] 4/4",
            "\rChanging [==========] 4/4",
        ];
        assert_eq!(shown, expected);
        assert_eq!(bar.erased(), format!("\r{}\r", " ".repeat(39)));
        assert_eq!(Bar::new(9, Some(5)).drawn(), "\rChanging [>] 0/9");
        assert_eq!(Bar::new(0, None).drawn().len(), "\rChanging [] 0/0".len() + 40);
    }
}
