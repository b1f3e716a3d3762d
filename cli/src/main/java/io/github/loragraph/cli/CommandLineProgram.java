package io.github.loragraph.cli;

import io.github.loragraph.experiment.RunProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The command line, as the program that runs of experiments and searches are processes of. */
public final class CommandLineProgram implements RunProgram {
  @Override
  public Class<?> main() {
    return Main.class;
  }

  @Override
  public List<String> train(Path config, Path run, OptionalInt threads, OptionalLong stopAfter) {
    List<String> words = new ArrayList<>(List.of("train", "--config", config.toString()));
    words.addAll(List.of("-o", run.toString()));
    threads.ifPresent(count -> words.addAll(List.of("--threads", Integer.toString(count))));
    return stopping(words, stopAfter);
  }

  @Override
  public List<String> resume(Path run, OptionalLong stopAfter) {
    return stopping(new ArrayList<>(List.of("train", "--resume", run.toString())), stopAfter);
  }

  private static List<String> stopping(List<String> words, OptionalLong stopAfter) {
    stopAfter.ifPresent(step -> words.addAll(List.of("--stop-after", Long.toString(step))));
    return words;
  }
}
