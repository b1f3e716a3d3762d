package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Inputs with axes of a fixed size, or that no row of data has. */
class FixedSizesTest {
  @TempDir Path folder;

  private static OnnxModel open() {
    return ReportGraph.model("20-all-symbolic-logits");
  }

  private Path data(int count, boolean shorter) throws IOException {
    Path file = ReportGraph.write("20-all-symbolic-logits", folder.resolve("rows"));
    return FixedSizes.rows(file.resolveSibling("train.jsonl"), count, shorter);
  }

  private static void assertFailsWith(String message, Cli run) {
    assertEquals(1, run.exitCode(), run.err());
    String last = run.err().strip();
    last = last.substring(last.lastIndexOf('\n') + 1);
    assertTrue(last.contains(message), last);
    assertFalse(last.contains("null"), last);
  }

  @Test
  void oneRowAtATimeAsExported() throws IOException {
    OnnxModel model = ReportGraph.model("18-fixed-batch1");
    FixedSizes.assertSameStep(
        folder, model, FixedSizes.fixed(model, 0, 0), data(8, true), 8, "graph");
  }

  /** Eight or seven rows in threes: the last batch has rows that count nothing. */
  @ParameterizedTest
  @CsvSource({"3,9,8", "3,0,7", "4,9,8", "0,9,7", "16,12,7", "1,0,3"})
  void batchesOfOneSize(int rows, int tokens, int count) throws IOException {
    FixedSizes.assertSameStep(
        folder, FixedSizes.fixed(open(), rows, tokens), open(), data(count, true), count, "graph");
  }

  @Test
  void whatIsDoneIsSaid() throws IOException {
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(FixedSizes.fixed(open(), 3, 9), file, false);
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Cli trained =
        Cli.run(
            "train",
            folder.resolve("model.lora.onnx"),
            "--data",
            data(7, true),
            "--steps",
            1,
            "--batch-size",
            16,
            "--micro-batch",
            2,
            "-o",
            folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(
        trained
            .err()
            .contains(
                "micro-batches (2) are not possible: the model takes batches of 3, no more and no fewer"),
        trained.err());
    assertTrue(
        trained
            .err()
            .contains("the model takes batches of 3: 6 of them make up a step, of 18 examples"),
        trained.err());
    assertTrue(trained.err().contains("the model takes rows of 9 tokens"), trained.err());
  }

  @Test
  void numbersCannotBeLeftOut() throws IOException {
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(FixedSizes.fixed(ReportGraph.model("46-regression-1d"), 3, 9), file, false);
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Object[] train = {
      "train",
      folder.resolve("model.lora.onnx"),
      "--data",
      data(8, true),
      "--steps",
      1,
      "-o",
      folder.resolve("run"),
      "--max-train-examples",
      "8"
    };
    assertFailsWith(
        "the model takes batches of 3, and 8 examples do not fill them: train on 6",
        Cli.run(train));
    train[train.length - 1] = "6";
    assertEquals(0, Cli.run(train).exitCode());
    // Measured are all, whatever the batches.
    assertEquals(
        8,
        Cli.json("eval", folder.resolve("run"), "--data", data(8, true)).get("examples").asInt());
  }

  @Test
  void oneFixedInputFixesTheLengthOfAll() throws IOException {
    OnnxModel model = open();
    Graph graph = model.graph().copy();
    graph.removeInput("attention_mask");
    graph.addInput(ValueInfo.of("attention_mask", TensorType.of(ElementType.INT64, -1, 9)));
    FixedSizes.assertSameStep(folder, model.withGraph(graph), model, data(7, true), 7, "graph");
  }

  @Test
  void rowsLongerThanTheModelTakesAreNamed() throws IOException {
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(FixedSizes.fixed(open(), 1, 5), file, false);
    assertFailsWith(
        "'input_ids' has 9 entries where the model takes 5",
        Cli.run("eval", file, "--data", data(8, false)));
    assertFailsWith(
        "a maximum length of 6 is more than the 5 tokens that the model takes",
        Cli.run("eval", file, "--data", data(8, false), "--max-length", 6));
  }

  /** The open model with one more input, which is added to its logits. */
  private Path withInput(ValueInfo input) {
    OnnxModel model = open();
    Graph graph = model.graph().copy();
    graph.addInput(input);
    GraphBuilder b = new GraphBuilder(graph, "/more");
    Node last = graph.producer("logits");
    graph.replace(last, last.withOutput(0, "plain"));
    String number = b.reduce("ReduceMean", input.name(), "", false);
    graph.add(Node.of("/more/Add", "Add", List.of("plain", number), List.of("logits")));
    Path file = folder.resolve("more.onnx");
    OnnxFile.write(model.withGraph(graph), file, true);
    return file;
  }

  private static ValueInfo input(String name, Shape.Dimension... axes) {
    return ValueInfo.of(name, new TensorType(ElementType.FLOAT, new Shape(List.of(axes))));
  }

  @Test
  void inputsThatNoRowHas() throws IOException {
    Path data = data(8, false);
    Path scalar = withInput(input("temperature"));
    Cli.json("inject", scalar, "--match", "query", "--rank", 2);
    String message = "the model's input 'temperature' is one number for a whole batch";
    assertFailsWith(message, Cli.run("eval", scalar, "--data", data));
    assertFailsWith(message, Cli.run("predict", scalar, "text"));
    assertFailsWith(
        message,
        Cli.run(
            "train",
            folder.resolve("more.lora.onnx"),
            "--data",
            data,
            "-o",
            folder.resolve("run")));
    assertFailsWith(
        "the model's input 'positions' [sequence] has no axis for the rows of a batch",
        Cli.run(
            "eval",
            withInput(input("positions", Shape.Dimension.named("sequence"))),
            "--data",
            data));
    assertFailsWith(
        "is of shape [1073741824,2], more numbers than a batch can hold",
        Cli.run(
            "eval",
            withInput(input("huge", Shape.Dimension.of(1L << 30), Shape.Dimension.of(2))),
            "--data",
            data));
    assertFailsWith(
        "is of shape [0,2], which holds nothing",
        Cli.run(
            "eval",
            withInput(input("none", Shape.Dimension.of(0), Shape.Dimension.of(2))),
            "--data",
            data));
    OnnxModel four = FixedSizes.fixed(open(), 4, 9);
    Graph graph = four.graph().copy();
    graph.removeInput("attention_mask");
    graph.addInput(ValueInfo.of("attention_mask", TensorType.of(ElementType.INT64, 1, 9)));
    Path file = folder.resolve("four.onnx");
    OnnxFile.write(four.withGraph(graph), file, false);
    assertFailsWith(
        "the model's inputs 'input_ids' and 'attention_mask' fix 4 and 1 rows in a batch",
        Cli.run("eval", file, "--data", data));
  }

  @Test
  void whatCannotBeMadeUpIsNotChecked() throws IOException {
    Path huge = withInput(input("huge", Shape.Dimension.of(1L << 30), Shape.Dimension.of(2)));
    Cli injected = Cli.run("inject", huge, "--match", "query", "--rank", 2, "--json");
    assertEquals(0, injected.exitCode(), injected.err());
    assertTrue(injected.out().contains("\"maxOutputDifference\":null"), injected.out());
    assertTrue(
        injected
            .err()
            .contains(
                "not checked by running it: no input for the original could be made up (the input 'huge' is of shape [1073741824, 2], too large to be made up)"),
        injected.err());
    Cli merged =
        Cli.run("merge", folder.resolve("more.lora.onnx"), "-o", folder.resolve("m"), "--json");
    assertEquals(0, merged.exitCode(), merged.err());
    assertTrue(merged.out().contains("\"maxOutputDifference\":null"), merged.out());
  }

  @Test
  void aMaskAsLongAsThePastAndThePresent() throws IOException {
    Path file = ReportGraph.write("97-decoder-with-past", folder);
    assertEquals(
        0,
        Cli.json("inject", file, "--match", "_proj", "--rank", 2)
            .get("maxOutputDifference")
            .asDouble());
  }

  @Test
  void anImageBesidesTheText() throws IOException {
    Path file =
        withInput(
            input(
                "pixel_values",
                Shape.Dimension.named("batch"),
                Shape.Dimension.of(1),
                Shape.Dimension.of(2),
                Shape.Dimension.of(2)));
    Path data = data(8, false);
    Files.writeString(
        data,
        Files.readString(data)
            .replace(
                "{\"input_ids\"", "{\"pixel_values\": [[[0.5, 1], [0, 0.25]]], \"input_ids\""));
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Cli trained =
        Cli.run(
            "train",
            folder.resolve("more.lora.onnx"),
            "--data",
            data,
            "--steps",
            2,
            "-o",
            folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
  }
}
