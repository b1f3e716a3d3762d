package io.github.loragraph.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.ChildProcess;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The processes that measure: one for each row of each turn.
 *
 * @param models the folder of the models
 * @param base the class path of the program at another commit; null where there is none
 * @param steps that are timed in each
 */
record Fork(Path models, @Nullable String base, int steps) {
  private static final String OWN_PATH = System.getProperty("java.class.path");

  /**
   * Java, as the launcher starts it, with a class; DJL asks nobody and unpacks beside the models.
   */
  private List<String> java(String classPath, String main, List<String> words) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:MaxDirectMemorySize=1t",
                "-Dai.djl.offline=true",
                "-DOPT_OUT_TRACKING=true",
                "-DENGINE_CACHE_DIR=" + models.resolve("djl"),
                "-cp",
                classPath,
                main));
    command.addAll(words);
    return command;
  }

  /**
   * Holds libtorch to this program: the same answers, and the same losses in a few steps.
   *
   * @return the differences
   * @throws LoraGraphException if they are too large, or the process fails
   */
  String agreement(Setting setting) {
    ScriptFile.make(setting.file(models));
    List<String> words = List.of(setting.file(models).toString(), setting.method().toString());
    return ChildProcess.run(java(OWN_PATH, Agreement.class.getName(), words), null)
        .output()
        .strip();
  }

  private List<String> command(Setting setting, Row row) {
    List<String> words = row.words(setting, setting.file(models).toString(), steps);
    return switch (row.kind()) {
      case PROGRAM -> java(OWN_PATH, ProgramFork.class.getName(), words);
      case BASE ->
          java(Objects.requireNonNull(base, "base"), "io.github.loragraph.cli.Main", words);
      case LIBTORCH -> java(OWN_PATH, TorchFork.class.getName(), words);
    };
  }

  /**
   * Measures.
   *
   * @throws LoraGraphException if the process fails
   */
  Measured measure(Setting setting, Row row) {
    try {
      ChildProcess child = ChildProcess.run(command(setting, row), null);
      return new Measured(new ObjectMapper().readTree(child.output()));
    } catch (JsonProcessingException e) {
      throw new LoraGraphException("it printed no JSON object", e);
    }
  }
}
