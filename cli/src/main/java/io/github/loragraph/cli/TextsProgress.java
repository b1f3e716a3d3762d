package io.github.loragraph.cli;

import java.util.function.LongConsumer;

/** Says from time to time how many texts were gone through. */
final class TextsProgress implements LongConsumer {
  private static final long EVERY_NANOS = 10_000_000_000L;

  private final ResultOutput output;
  private final String what;
  private long last = System.nanoTime();

  /**
   * @param what is done with texts: {@code embedded}
   */
  TextsProgress(ResultOutput output, String what) {
    this.output = output;
    this.what = what;
  }

  @Override
  public void accept(long done) {
    if (System.nanoTime() - last >= EVERY_NANOS) {
      last = System.nanoTime();
      output.log("%,d texts %s", done, what);
    }
  }
}
