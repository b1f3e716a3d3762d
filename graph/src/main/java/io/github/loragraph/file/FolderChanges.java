package io.github.loragraph.file;

import java.io.IOException;

/**
 * Is told of every change of a folder before it is made, so that tests can end the process, or let
 * the change fail, at each of them.
 */
final class FolderChanges {
  private static volatile Observer observer = change -> {};

  private FolderChanges() {}

  /** One who is told. */
  @FunctionalInterface
  interface Observer {
    /**
     * @param change in words: {@code move .a.part a}
     * @throws IOException which the change then fails with
     */
    void before(String change) throws IOException;
  }

  static void observe(Observer other) {
    observer = other;
  }

  static void before(String change) throws IOException {
    observer.before(change);
  }
}
