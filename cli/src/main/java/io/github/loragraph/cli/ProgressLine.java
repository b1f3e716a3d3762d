package io.github.loragraph.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBarRenderer;
import me.tongfei.progressbar.ProgressState;

/**
 * How far a training is, in one line. Where that is too long, parts are left out, each as a whole,
 * and first what is needed least.
 *
 * @param figures those of the last step; asked each time
 */
record ProgressLine(Supplier<Figures> figures) implements ProgressBarRenderer {
  private static final String EIGHTHS = " ▏▎▍▌▋▊▉";
  private static final int SHORTEST_BAR = 8;
  private static final int LONGEST_BAR = 40;

  /** Each part's place in the line is its place here; the smaller, the longer it stays. */
  private enum Part {
    NAME(6),
    SHARE(5),
    BAR(9),
    STEPS(0),
    ELAPSED(4),
    LEFT(3),
    LOSS(1),
    EVALUATION(2),
    RATE(7),
    SPEED(8);

    private final int rank;

    Part(int rank) {
      this.rank = rank;
    }
  }

  /**
   * What is shown of a step; each is empty where it is not known.
   *
   * @param evaluation the score of the last one
   */
  record Figures(String loss, String evaluation, String rate, String speed) {
    static final Figures NONE = new Figures("", "", "", "");
  }

  @Override
  public String render(ProgressState progress, int width) {
    List<Part> shown = new ArrayList<>(List.of(Part.values()));
    shown.removeIf(part -> part != Part.BAR && words(part, progress).isEmpty());
    String line = line(shown, progress, SHORTEST_BAR);
    while (line.length() > width && shown.size() > 1) {
      shown.remove(shown.stream().max((a, b) -> a.rank - b.rank).orElseThrow());
      line = line(shown, progress, SHORTEST_BAR);
    }
    return shown.contains(Part.BAR)
        ? line(shown, progress, Math.min(LONGEST_BAR, SHORTEST_BAR + width - line.length()))
        : line;
  }

  private String line(List<Part> shown, ProgressState progress, int bar) {
    return shown.stream()
        .map(part -> part == Part.BAR ? bar(progress, bar) : words(part, progress))
        .collect(Collectors.joining("  "));
  }

  private static String bar(ProgressState progress, int cells) {
    int eighths = (int) (share(progress) * cells * EIGHTHS.length());
    int whole = eighths / EIGHTHS.length();
    String full = "█".repeat(whole);
    return "|%s%s%s|"
        .formatted(
            full,
            whole == cells ? "" : EIGHTHS.charAt(eighths % EIGHTHS.length()),
            " ".repeat(Math.max(0, cells - whole - 1)));
  }

  private static double share(ProgressState progress) {
    return progress.getMax() > 0
        ? Math.min(1, (double) progress.getCurrent() / progress.getMax())
        : 0;
  }

  private String words(Part part, ProgressState progress) {
    return switch (part) {
      case NAME -> progress.getTaskName();
      case SHARE -> String.format(Locale.ROOT, "%3d%%", (int) (100 * share(progress)));
      case BAR -> "";
      case STEPS -> progress.getCurrent() + "/" + progress.getMax() + " steps";
      case ELAPSED -> time(progress.getTotalElapsed());
      case LEFT -> left(progress);
      case LOSS -> figures.get().loss();
      case EVALUATION -> figures.get().evaluation();
      case RATE -> figures.get().rate();
      case SPEED -> figures.get().speed();
    };
  }

  /** By the steps since the bar is there: those before may have been another process's. */
  private static String left(ProgressState progress) {
    long made = progress.getCurrent() - progress.getStart();
    if (made <= 0) {
      return "";
    }
    return time(
            progress
                .getElapsedAfterStart()
                .dividedBy(made)
                .multipliedBy(Math.max(0, progress.getMax() - progress.getCurrent())))
        + " left";
  }

  private static String time(Duration time) {
    return String.format(
        Locale.ROOT, "%d:%02d:%02d", time.toHours(), time.toMinutesPart(), time.toSecondsPart());
  }
}
