package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What becomes of results that nobody can take. */
@EnabledOnOs(OS.LINUX)
class StandardOutputTest {
  private static ProcessBuilder program(String... words) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(List.of(words));
    return new ProcessBuilder(command);
  }

  private static String errors(Process process) throws IOException, InterruptedException {
    String text =
        new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    process.waitFor();
    return text;
  }

  @Test
  void aFullDiskIsAFailure() throws IOException, InterruptedException {
    Process process = program("--version").redirectOutput(new File("/dev/full")).start();
    String errors = errors(process);
    assertEquals(1, process.exitValue(), errors);
    assertEquals("lora-graph: standard output is not whole: No space left on device", errors);
  }

  @Test
  void aReaderThatHasWhatItWantsIsNone() throws IOException, InterruptedException {
    Process process = program("--help").start();
    process.getInputStream().close();
    String errors = errors(process);
    assertEquals(0, process.exitValue(), errors);
    assertEquals("", errors);
  }
}
