//! Time against the number of products, as an SVG.

use crate::timing::Series;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 730.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 355.0;
/// Told apart by those who do not see all colours, too; the shapes of the points help.
const COLORS: [&str; 3] = ["#0b62b8", "#b3261e", "#5f5f5f"];

/// A scale for both directions.
struct Scale {
    fewest: f64,
    most: f64,
    longest: f64,
    step: f64,
}

/// Draws on a white sheet, so that a dark page does not swallow the lines.
pub(crate) fn draw(curve: &[(usize, Vec<Series>)]) -> String {
    let scale = Scale::of(curve);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222222\">\n\
         <title>Time to list products, against their number</title>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"#ffffff\" stroke=\"#c8c8c8\"/>\n",
        WIDTH - 1.0,
        HEIGHT - 1.0,
    );
    svg.push_str(&text(LEFT, 28.0, "start", "Listing products: median time of the whole run (ms)"));
    svg.push_str(&scale.grid(curve));
    svg.push_str(&text(f64::midpoint(LEFT, RIGHT), BOTTOM + 45.0, "middle", "number of products (logarithmic)"));
    let lines = curve.first().map_or(0, |(_, series)| series.len());
    let mut legend = LEFT;
    for (at, color) in (0..lines).zip(COLORS) {
        let points: Vec<(f64, f64)> =
            curve.iter().map(|(count, series)| (scale.x(number(*count)), scale.y(series[at].median()))).collect();
        svg.push_str(&line(&points, at, color));
        let name = &curve[0].1[at].name;
        svg.push_str(&mark(legend + 5.0, 52.0, at, color));
        svg.push_str(&text(legend + 16.0, 56.5, "start", name));
        legend += 40.0 + 6.6 * number(name.chars().count());
    }
    svg + "</svg>\n"
}

impl Scale {
    fn of(curve: &[(usize, Vec<Series>)]) -> Self {
        let longest = curve.iter().flat_map(|(_, series)| series.iter().map(Series::median)).fold(1.0, f64::max);
        // A handful of lines, at round numbers.
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
        let step = steps.into_iter().find(|step| longest / step <= 6.0).unwrap_or(longest);
        let longest = (longest / step).ceil() * step;
        let end = |at: Option<&(usize, Vec<Series>)>| at.map_or(1.0, |(count, _)| number(*count));
        Self { fewest: end(curve.first()), most: end(curve.last()), longest, step }
    }

    fn x(&self, count: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (count / self.fewest).ln() / (self.most / self.fewest).ln()
    }

    fn y(&self, time: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * time / self.longest
    }

    fn grid(&self, curve: &[(usize, Vec<Series>)]) -> String {
        let mut grid = String::new();
        let mut time = 0.0;
        while time <= self.longest {
            let y = self.y(time);
            grid.push_str(&rule((LEFT, y), (RIGHT, y)));
            grid.push_str(&text(LEFT - 10.0, y + 4.5, "end", &time.to_string()));
            time += self.step;
        }
        for (count, _) in curve {
            let x = self.x(number(*count));
            grid.push_str(&rule((x, TOP), (x, BOTTOM + 6.0)));
            grid.push_str(&text(x, BOTTOM + 22.0, "middle", &count.to_string()));
        }
        grid
    }
}

fn text(x: f64, y: f64, anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>\n")
}

fn rule(from: (f64, f64), to: (f64, f64)) -> String {
    format!(
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

fn line(points: &[(f64, f64)], shape: usize, color: &str) -> String {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let marks: String = points.iter().map(|(x, y)| mark(*x, *y, shape, color)).collect();
    format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n{marks}", path.join(" "))
}

/// A point: a disc, a square or a triangle.
fn mark(x: f64, y: f64, shape: usize, color: &str) -> String {
    match shape {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{color}\"/>\n"),
        1 => format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\" fill=\"{color}\"/>\n", x - 4.0, y - 4.0),
        _ => {
            let [left, right, top, bottom] = [x - 5.0, x + 5.0, y - 5.0, y + 4.0];
            let points = format!("{x:.1},{top:.1} {right:.1},{bottom:.1} {left:.1},{bottom:.1}");
            format!("<polygon points=\"{points}\" fill=\"{color}\"/>\n")
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no number here is that large")]
fn number(count: usize) -> f64 {
    count as f64
}
