package io.github.loragraph.cli;

/** The entry point of the {@code lora-graph} launcher. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Signals.install();
    System.exit(LoraGraph.execute(LoraGraph.commandLine(), args));
  }
}
