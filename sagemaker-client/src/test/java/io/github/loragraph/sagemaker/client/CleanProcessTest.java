package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.cli.Main;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a machine without any settings of AWS is told, to the last line that a library might say.
 */
class CleanProcessTest {
  @TempDir private Path folder;

  /** The only ones of AWS that a process has. */
  private final Map<String, String> variables = new HashMap<>();

  private String said(String... words) throws IOException, InterruptedException {
    return saidBy(System.getProperty("java.class.path"), words);
  }

  private String saidBy(String classPath, String... words)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Duser.home=" + folder,
                "-Daws.disableEc2Metadata=true",
                "-cp",
                classPath,
                Main.class.getName(),
                "sagemaker"));
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
    builder.environment().put("HOME", folder.toString());
    builder.environment().putAll(variables);
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, process.waitFor(), said);
    assertEquals(1, said.lines().count(), said);
    return said;
  }

  @Test
  void withoutARegionOrCredentialsOneLineSaysWhatToDo() throws Exception {
    String region = said("compare", "job");
    assertTrue(region.contains("no region is named: give --region"), region);
    assertTrue(region.strip().endsWith("or AWS_REGION"), region);
    variables.put("AWS_DEFAULT_REGION", "eu-west-1");
    String unread = said("compare", "job");
    assertTrue(
        unread.strip().endsWith("or AWS_REGION; AWS_DEFAULT_REGION (eu-west-1) is not read"),
        unread);
    String credentials = said("compare", "job", "--region", "eu-central-1");
    assertTrue(credentials.contains("job: there are no credentials: sign in"), credentials);
  }

  @Test
  void withoutTheLibraryThatItAddsToOneLineSaysWhichIsMissing() throws Exception {
    String container = File.separator + "sagemaker" + File.separator;
    String without =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains(container))
            .collect(Collectors.joining(File.pathSeparator));
    String said = saidBy(without, "compare", "job");
    assertTrue(said.startsWith("lora-graph: the library lora-graph-sagemaker is missing"), said);
  }
}
