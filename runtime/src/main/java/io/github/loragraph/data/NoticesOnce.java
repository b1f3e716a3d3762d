package io.github.loragraph.data;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Says each thing once, with the place where it was met first: what a line of a file lets one
 * guess, the lines after it do, too, and so do the files that are read beside it. Not for use by
 * several threads.
 */
public final class NoticesOnce implements Consumer<String> {
  private final Consumer<String> notices;
  private final Set<String> told = new HashSet<>();

  private NoticesOnce(Consumer<String> notices) {
    this.notices = notices;
  }

  /**
   * What says each thing once to whom a reader hands its lines: what several readers are given is
   * kept, so that they say it once together.
   */
  public static NoticesOnce of(Consumer<String> notices) {
    return notices instanceof NoticesOnce once ? once : new NoticesOnce(notices);
  }

  /** Says a line unless it was said before. */
  @Override
  public void accept(String line) {
    tell("", line);
  }

  /**
   * Says something unless it was said before, of whatever place.
   *
   * @param place where it is so, {@code file:line}
   * @param what the rest of the line, as it follows the place
   */
  public void tell(String place, String what) {
    if (told.add(what)) {
      notices.accept(place + what);
    }
  }
}
