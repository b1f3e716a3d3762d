package io.github.loragraph.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MicroBatchTest {
  private static final ValueInfo IDS =
      ValueInfo.of("input_ids", TensorType.of(ElementType.INT64, -1, -1));
  private static final ValueInfo MASK =
      ValueInfo.of("attention_mask", TensorType.of(ElementType.INT64, -1, -1));

  private static List<Example> examples(int... lengths) {
    return IntStream.of(lengths)
        .mapToObj(length -> new Example(Map.of("input_ids", Values.of(new int[length])), null))
        .toList();
  }

  /** The lengths in each piece. */
  private static String pieces(String size, int... lengths) {
    return pieces(size, List.of(IDS, MASK), lengths);
  }

  private static String pieces(String size, List<ValueInfo> inputs, int... lengths) {
    List<Example> batch = examples(lengths);
    BatchSource source = BatchSource.of(batch, inputs).batchSize(lengths.length).build();
    return MicroBatch.parse(size).pieces(batch, source).stream()
        .map(piece -> piece.stream().map(Example::length).toList())
        .toList()
        .toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"8", "1024-tokens", "all", "auto", "rule"})
  void isReadAsItIsWritten(String text) {
    assertEquals(text, MicroBatch.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "-3", "8.5", "8 tokens", "0-tokens", "9999999999", "half"})
  void whatIsNoSizeIsRefused(String text) {
    assertThrows(LoraGraphException.class, () -> MicroBatch.parse(text));
  }

  @Test
  void piecesHaveAboutTheSameNumberOfExamplesOfOneLength() {
    assertEquals("[[9, 2, 5]]", pieces("all", 9, 2, 5));
    assertEquals("[[9, 2, 5]]", pieces("3", 9, 2, 5));
    assertEquals("[[2, 5], [7, 9]]", pieces("3", 9, 2, 5, 7));
    assertEquals("[[1], [2, 5], [7, 9]]", pieces("2", 9, 2, 5, 7, 1));
    assertEquals("[[2], [5], [9]]", pieces("1", 9, 2, 5));
  }

  /** A batch that would fit is cut, too, where its padding costs more than a call. */
  @Test
  void whereTheLeastIsComputed() {
    assertEquals("[[20, 15, 10]]", pieces("512-tokens", 20, 15, 10));
    assertEquals("[[5, 5, 5], [100]]", pieces("512-tokens", 100, 5, 5, 5));
    // Without a mask answers depend on the padding, which stays as it was.
    assertEquals("[[100, 5, 5, 5]]", pieces("512-tokens", List.of(IDS), 100, 5, 5, 5));
    assertEquals("[[10, 10, 10], [400]]", pieces("512-tokens", 10, 400, 10, 10));
    assertEquals("[[250, 250], [250, 250]]", pieces("512-tokens", 250, 250, 250, 250));
  }

  /** Those of a piece are as many as if each example were as long as its longest. */
  @Test
  void tokensAreCountedWithTheirPadding() {
    assertEquals("[[9, 2, 5]]", pieces("27-tokens", 9, 2, 5));
    assertEquals("[[2, 5], [9]]", pieces("26-tokens", 9, 2, 5));
    assertEquals("[[2], [5], [9]]", pieces("1-tokens", 9, 2, 5));
  }

  /** Each text of a group is padded to its own longest: 200 and 201 together, not 10 and 201. */
  @Test
  void ofSeveralTextsTheLongestOfEachCounts() {
    List<ValueInfo> inputs = new ArrayList<>();
    for (String text : List.of("anchor.", "texts.")) {
      inputs.add(ValueInfo.of(text + "input_ids", TensorType.of(ElementType.INT64, -1, -1)));
      inputs.add(ValueInfo.of(text + "attention_mask", TensorType.of(ElementType.INT64, -1, -1)));
    }
    List<Example> batch = List.of(group(200, 10), group(10, 201));
    BatchSource source = BatchSource.of(batch, inputs).batchSize(2).build();
    assertEquals(2, MicroBatch.ofTokens(512).pieces(batch, source).size());
    assertEquals(
        1, MicroBatch.ofTokens(802).pieces(List.of(batch.get(0), batch.get(0)), source).size());
  }

  private static Example group(int anchor, int texts) {
    return new Example(
        Map.of(
            "anchor.input_ids", Values.of(new int[anchor]),
            "texts.input_ids", Values.of(new int[texts])),
        null);
  }

  /** Runs from before there were pieces go on as they were begun. */
  @Test
  void aRunKeepsWhatItBeganWith() {
    Checkpoint state = Checkpoint.ofParameters(List.of());
    assertEquals(Optional.empty(), CheckpointMarks.microBatch(null));
    assertEquals(Optional.empty(), CheckpointMarks.microBatch(state));
    Checkpoint ofRun = state.with(CheckpointMarks.ENGINE, "graph");
    assertEquals(Optional.of(MicroBatch.WHOLE), CheckpointMarks.microBatch(ofRun));
    Checkpoint marked = ofRun.with(CheckpointMarks.MICRO_BATCH, "512-tokens");
    assertEquals(Optional.of(MicroBatch.ofTokens(512)), CheckpointMarks.microBatch(marked));
    assertEquals(Optional.empty(), CheckpointMarks.microBatch(CheckpointMarks.stateAlone(marked)));
  }
}
