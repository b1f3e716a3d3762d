package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names from files reach neither results nor errors with characters that a terminal obeys. */
class HostileNamesTest {
  /** Turns a terminal red, rings, sets its title, deletes a line, and turns the text around. */
  private static final String HOSTILE = "\u001b[31m\u0007\u009b2K\u202e";

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void makeModel() throws IOException {
    model = folder.resolve("mo" + HOSTILE + "del.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), model);
    Files.writeString(
        folder.resolve("config.json"),
        "{\"id2label\":{\"0\":\"%s\",\"1\":\"b\"}}".formatted(json("a" + HOSTILE)));
    rename();
  }

  private static String json(String text) {
    StringBuilder escaped = new StringBuilder();
    text.chars().forEach(c -> escaped.append("\\u%04x".formatted(c)));
    return escaped.toString();
  }

  /** Puts the characters into the names of nodes, values, weights and metadata. */
  private void rename() {
    OnnxModel read = OnnxFile.read(model);
    Graph graph = read.graph();
    for (Node node : List.copyOf(graph.nodes())) {
      graph.replace(node, node.withName(node.name() + HOSTILE));
    }
    for (Node node : List.copyOf(graph.nodes())) {
      for (String input : node.inputs()) {
        if (graph.initializer(input) != null && input.contains("embeddings")) {
          String renamed = input.replace("embeddings", "emb" + HOSTILE + "eddings");
          graph.putInitializer(graph.initializer(input).withName(renamed));
          graph.redirectConsumers(input, renamed);
          graph.removeInitializer(input);
        }
      }
    }
    OnnxFile.write(read.withMetadata(HOSTILE, HOSTILE), model, true);
  }

  /** The characters of all output that a terminal would obey. */
  private static void requirePlain(Cli run, Object... arguments) {
    for (String text : List.of(run.out(), run.err())) {
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        boolean unsafe = c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 || c == 0x202e;
        assertTrue(!unsafe, () -> "%s prints %04x: %s".formatted(arguments[0], (int) c, text));
      }
    }
  }

  private static Cli run(int exitCode, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(exitCode, run.exitCode(), run.err());
    requirePlain(run, arguments);
    List<Object> withJson = new ArrayList<>(List.of(arguments));
    withJson.add("--json");
    if (exitCode == 0) {
      withJson.add("--force");
      if (List.of("eval", "inspect").contains(arguments[0])) {
        withJson.remove("--force");
      }
      Cli json = Cli.run(withJson.toArray());
      assertEquals(0, json.exitCode(), json.err());
      requirePlain(json, arguments);
      try {
        assertTrue(new ObjectMapper().readTree(json.out()).isObject());
      } catch (JsonProcessingException e) {
        throw new AssertionError(json.out(), e);
      }
    } else {
      String[] lines = run.err().strip().split("\n");
      assertEquals(exitCode, lines.length, run.err());
      assertTrue(lines[0].length() <= 320, run.err());
    }
    return run;
  }

  @Test
  void everyCommandPrintsPlainText() throws IOException {
    assertTrue(run(0, "inspect", model, "--verbose").out().contains("emb\\u001b[31m\\u0007"));
    Path adapted = folder.resolve("a" + HOSTILE + ".lora.onnx");
    run(0, "inject", model, "--match", "que", "-o", adapted);
    Path data = folder.resolve("d" + HOSTILE + ".jsonl");
    String row =
        "{\"input_ids\":[0,5,2],\"label\":\"%s\"}\n{\"input_ids\":[0,7,2],\"label\":\"b\"}\n";
    Files.writeString(data, row.formatted(json("a" + HOSTILE)));
    Path run = folder.resolve("run");
    run(0, "train", adapted, "--data", data, "--eval", data, "--steps", 2, "-o", run);
    assertTrue(run(0, "eval", run, "--data", data).out().contains("a\\u001b[31m"));
    run(0, "merge", run, "-o", folder.resolve("merged.onnx"));
    run(0, "remove", adapted, "-o", folder.resolve("removed.onnx"));
    run(0, "artifacts", adapted, "-o", folder.resolve("artifacts"));

    run(1, "inspect", folder.resolve("no" + HOSTILE + ".onnx"));
    run(1, "inject", model, "--match", "nowhere" + HOSTILE.replace("[", ""));
    run(1, "merge", model);
    Files.writeString(data, row.formatted(json("c" + HOSTILE)));
    run(1, "eval", run, "--data", data);
    Files.writeString(data, "{\"input_ids\":[0,5,2],\"%s\":1}\n".formatted(json(HOSTILE)));
    run(1, "eval", run, "--data", data);
    Files.writeString(data, "{" + HOSTILE);
    run(1, "eval", run, "--data", data);
    Path table = folder.resolve("d.tsv");
    Files.writeString(table, "text\tlabel" + HOSTILE + "\nx\t1\n");
    run(1, "eval", run, "--data", table);
    run(2, "inspect", model, "--no" + HOSTILE);
  }

  @Test
  void refusalsNameTheFile() throws IOException {
    Path plain = folder.resolve("plain.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), plain);
    Path adapted = folder.resolve("plain.lora.onnx");
    run(0, "inject", plain, "--match", "query", "--rank", 2);
    Path out = folder.resolve("out.onnx");
    for (Cli run :
        List.of(
            run(1, "merge", plain, "-o", out),
            run(1, "remove", plain, "-o", out),
            run(1, "inject", plain, "--match", "nothing", "-o", out),
            run(1, "inject", plain, "--match", "query", "--rank", 1000, "-o", out),
            run(1, "inject", adapted, "--match", "key", "-o", out),
            run(1, "artifacts", plain, "-o", folder.resolve("artifacts")),
            run(1, "add-head", plain, "--labels", "a,b", "-o", folder.resolve("head")),
            run(1, "train", plain, "--data", folder.resolve("none.tsv")))) {
      assertTrue(run.err().contains("plain"), run.err());
      assertTrue(run.err().contains(".onnx: "), run.err());
    }
    OnnxModel read = OnnxFile.read(adapted);
    OnnxFile.write(read.withMetadata("lora_graph", "{}"), out, true);
    for (String command : List.of("inspect", "merge", "remove", "artifacts", "train")) {
      Cli run =
          run(1, command, out, command.equals("inspect") ? "--verbose" : "-o" + folder + "/z");
      assertTrue(run.err().startsWith("lora-graph: " + out + ": "), run.err());
    }
  }

  @Test
  void pipesAreRefusedWhereverAFileIsRead() throws Exception {
    Path pipe = folder.resolve("pipe.tsv");
    for (String name : List.of("pipe.tsv", "pipe.onnx", "p/config.json", "q/tokenizer.json")) {
      Path place = folder.resolve(name);
      Files.createDirectories(place.getParent());
      assertEquals(0, new ProcessBuilder("mkfifo", place.toString()).start().waitFor());
    }
    Files.copy(model, folder.resolve("p/model.onnx"));
    Files.copy(model, folder.resolve("q/model.onnx"));
    assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () -> {
          assertTrue(run(1, "eval", model, "--data", pipe).err().contains("is a pipe"));
          assertTrue(run(1, "inspect", folder.resolve("pipe.onnx")).err().contains("is a pipe"));
          for (String place : List.of("p", "q")) {
            Cli run = run(1, "predict", folder.resolve(place), "text");
            assertTrue(run.err().contains("is a pipe"), run.err());
          }
          assertTrue(
              run(1, "train", model, "--data", model, "--config", pipe).err().contains("pipe.tsv"));
          assertTrue(run(1, "artifacts", "apply", pipe, model).err().contains("pipe.tsv"));
        });
  }
}
