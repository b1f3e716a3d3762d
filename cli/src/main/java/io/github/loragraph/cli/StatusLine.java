package io.github.loragraph.cli;

import me.tongfei.progressbar.ProgressBarConsumer;

/**
 * The last line of a terminal, on standard error, that is drawn again and again. Whoever prints
 * another line meanwhile does so in {@link #above}, which takes it away first: it comes back, below
 * the other, when it is drawn the next time. Any thread may.
 */
final class StatusLine implements ProgressBarConsumer {
  /** As wide as terminals are at least; a line that is too long is shown many times. */
  private static final int COLUMNS = 80;

  /** How many characters of it stand there; 0 where it does not. */
  private int standing;

  /**
   * The width of the terminal, less the place of the cursor; the launcher knows. The library, if it
   * were not told, would ask JLine, which takes the process's signals away from {@link Signals} for
   * good.
   */
  @Override
  public int getMaxRenderedLength() {
    int columns = Integer.getInteger("lora-graph.columns", 0);
    return Math.max(columns > 0 ? columns : COLUMNS, 2) - 1;
  }

  @Override
  public synchronized void accept(String line) {
    String shown = line.substring(0, Math.min(line.length(), getMaxRenderedLength()));
    System.err.print('\r' + shown + " ".repeat(Math.max(0, standing - shown.length())));
    System.err.flush();
    standing = Math.max(shown.length(), standing);
  }

  /** Prints something while the line is not there. */
  synchronized void above(Runnable printing) {
    clear();
    printing.run();
  }

  /** With a Ctrl-C that was typed behind it. */
  @Override
  public synchronized void clear() {
    if (standing > 0) {
      int cells = Math.min(standing + "^C".length(), getMaxRenderedLength());
      System.err.print('\r' + " ".repeat(cells) + '\r');
      System.err.flush();
      standing = 0;
    }
  }

  /** The line stays as it is, and what comes next is below it. */
  @Override
  public synchronized void close() {
    if (standing > 0) {
      System.err.println();
      standing = 0;
    }
  }
}
