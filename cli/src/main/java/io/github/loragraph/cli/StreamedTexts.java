package io.github.loragraph.cli;

import io.github.loragraph.Example;
import io.github.loragraph.data.LineStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The texts of standard input, one in each line, as many at a time as are there. */
final class StreamedTexts implements Iterator<List<Example>> {
  private static final String NAME = "standard input";

  private final LineStream lines;
  private final int most;
  private final Runnable beforeWaiting;
  private @Nullable List<String> next;
  private long count;

  /**
   * @param most texts at a time
   * @param beforeWaiting is run when all texts so far were taken
   */
  StreamedTexts(InputStream in, int most, Runnable beforeWaiting) {
    this.lines = new LineStream(in, NAME);
    this.most = most;
    this.beforeWaiting = beforeWaiting;
  }

  @Override
  public boolean hasNext() {
    if (next == null) {
      beforeWaiting.run();
      next = lines.next(most);
    }
    return !next.isEmpty();
  }

  @Override
  public List<Example> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    List<Example> some = examples(Objects.requireNonNull(next), NAME, count);
    count += some.size();
    next = null;
    return some;
  }

  /**
   * Texts with their places.
   *
   * @param before how many there were before
   */
  static List<Example> examples(List<String> texts, String name, long before) {
    List<Example> examples = new ArrayList<>();
    for (String text : texts) {
      examples.add(Example.of(text).withPlace(name + ":" + (before + examples.size() + 1)));
    }
    return examples;
  }
}
