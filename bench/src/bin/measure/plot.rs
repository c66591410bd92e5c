//! Draws time by number of products as SVG.

use crate::timing::Timings;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 730.0;
const TOP: f64 = 80.0;
const BOTTOM: f64 = 355.0;
/// Distinguishable with colour blindness; the marker shapes help.
const COLORS: [&str; 3] = ["#0b62b8", "#b3261e", "#5f5f5f"];

/// Maps counts and times to coordinates.
struct Scale {
    min_count: f64,
    max_count: f64,
    max_time: f64,
    step: f64,
}

/// Draws on a white background, which stays readable on a dark page.
pub(crate) fn render(curve: &[(usize, Vec<Timings>)]) -> String {
    let scale = Scale::new(curve);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222222\">\n\
         <title>Time to list products, by number of products</title>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"#ffffff\" stroke=\"#c8c8c8\"/>\n",
        WIDTH - 1.0,
        HEIGHT - 1.0,
    );
    svg.push_str(&text(LEFT, 28.0, "start", "Listing products: median time of the whole run (ms)"));
    svg.push_str(&scale.grid(curve));
    svg.push_str(&text(f64::midpoint(LEFT, RIGHT), BOTTOM + 45.0, "middle", "number of products (logarithmic)"));
    let line_count = curve.first().map_or(0, |(_, all)| all.len());
    let mut legend_x = LEFT;
    for (index, color) in (0..line_count).zip(COLORS) {
        let points: Vec<(f64, f64)> =
            curve.iter().map(|(count, all)| (scale.x(to_f64(*count)), scale.y(all[index].median()))).collect();
        svg.push_str(&line(&points, index, color));
        let name = &curve[0].1[index].name;
        svg.push_str(&marker(legend_x + 5.0, 52.0, index, color));
        svg.push_str(&text(legend_x + 16.0, 56.5, "start", name));
        legend_x += 40.0 + 6.6 * to_f64(name.chars().count());
    }
    svg + "</svg>\n"
}

impl Scale {
    fn new(curve: &[(usize, Vec<Timings>)]) -> Self {
        let max_time = curve.iter().flat_map(|(_, all)| all.iter().map(Timings::median)).fold(1.0, f64::max);
        // At most six grid lines, at round numbers.
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
        let step = steps.into_iter().find(|step| max_time / step <= 6.0).unwrap_or(max_time);
        let max_time = (max_time / step).ceil() * step;
        let count = |entry: Option<&(usize, Vec<Timings>)>| entry.map_or(1.0, |(count, _)| to_f64(*count));
        Self { min_count: count(curve.first()), max_count: count(curve.last()), max_time, step }
    }

    fn x(&self, count: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (count / self.min_count).ln() / (self.max_count / self.min_count).ln()
    }

    fn y(&self, time: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * time / self.max_time
    }

    fn grid(&self, curve: &[(usize, Vec<Timings>)]) -> String {
        let mut grid = String::new();
        let mut time = 0.0;
        while time <= self.max_time {
            let y = self.y(time);
            grid.push_str(&grid_line((LEFT, y), (RIGHT, y)));
            grid.push_str(&text(LEFT - 10.0, y + 4.5, "end", &time.to_string()));
            time += self.step;
        }
        for (count, _) in curve {
            let x = self.x(to_f64(*count));
            grid.push_str(&grid_line((x, TOP), (x, BOTTOM + 6.0)));
            grid.push_str(&text(x, BOTTOM + 22.0, "middle", &count.to_string()));
        }
        grid
    }
}

fn text(x: f64, y: f64, anchor: &str, content: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>\n")
}

fn grid_line(from: (f64, f64), to: (f64, f64)) -> String {
    format!(
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#dddddd\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

fn line(points: &[(f64, f64)], shape: usize, color: &str) -> String {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let markers: String = points.iter().map(|(x, y)| marker(*x, *y, shape, color)).collect();
    format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>\n{markers}", path.join(" "))
}

/// Draws a circle, a square or a triangle.
fn marker(x: f64, y: f64, shape: usize, color: &str) -> String {
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

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
fn to_f64(count: usize) -> f64 {
    count as f64
}
