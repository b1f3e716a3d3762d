package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A program of one source file, as the documentation shows some. */
final class JavaProgram {
  private JavaProgram() {}

  /** Compiles and runs a source file in its folder, with the library; what it prints. */
  static String run(Path source) throws IOException, InterruptedException {
    Path folder = source.getParent();
    File out = folder.resolve("out.txt").toFile();
    File err = folder.resolve("err.txt").toFile();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Duser.language=en",
                "-cp",
                System.getProperty("java.class.path"),
                source.toString())
            .directory(folder.toFile())
            .redirectOutput(out)
            .redirectError(err)
            .start();
    try {
      assertTrue(process.waitFor(5, TimeUnit.MINUTES), source + " comes to no end");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue(), Files.readString(err.toPath(), StandardCharsets.UTF_8));
    return Files.readString(out.toPath(), StandardCharsets.UTF_8);
  }
}
