package io.github.loragraph.data;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Says each thing once, with the place where it was met first: what a line of a file lets one
 * guess, the lines after it do, too. Not for use by several threads.
 */
public final class NoticesOnce {
  private final Consumer<String> notices;
  private final Set<String> told = new HashSet<>();

  /**
   * @param notices gets the lines
   */
  public NoticesOnce(Consumer<String> notices) {
    this.notices = notices;
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
