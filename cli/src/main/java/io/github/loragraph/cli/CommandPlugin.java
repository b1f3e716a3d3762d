package io.github.loragraph.cli;

/**
 * A command that another module adds to the program: found as a service among the libraries of the
 * process, so that the program itself does not grow by it.
 */
public interface CommandPlugin {
  /**
   * The command that it is put under; empty where it is put under the program itself.
   *
   * @throws io.github.loragraph.error.LoraGraphException if the library of that command is missing
   */
  String parent();

  /** A new object of a class with picocli's {@code Command}, whose name is that of the command. */
  Object command();
}
