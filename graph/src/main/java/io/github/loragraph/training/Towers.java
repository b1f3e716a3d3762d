package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * What is trained on groups of texts, an anchor and the texts that belong to it or do not, made of
 * a model that answers one text with one embedding ({@link SentenceEmbedding}). The encoder is in
 * the graph once for the anchors and once for the other texts, each with a sequence axis of its
 * own, so that short queries are not padded to the length of long passages. Weights are there once,
 * under the names that they had: what is trained gets the gradients of both.
 *
 * <p>The only output is {@link #EMBEDDINGS}, FLOAT (batch, 1 + texts, dimension), the anchor first.
 */
public final class Towers {
  /** Before the name of an input: that of the anchors, (batch, sequence). */
  public static final String ANCHOR = "anchor.";

  /** Before the name of an input: that of the other texts, (batch, texts, sequence). */
  public static final String TEXTS = "texts.";

  /** FLOAT (batch, texts, dimension): embeddings that are given and not computed. */
  public static final String VECTORS = TEXTS + "vectors";

  /** The name of the output. */
  public static final String EMBEDDINGS = "embeddings";

  private static final String BATCH = "batch";
  private static final String COUNT = "texts";

  /** Behind the names of values and nodes of the second tower. */
  private static final String SECOND = "_texts";

  private final OnnxModel source;
  private final Graph graph;
  private final GraphBuilder b;
  private final String embedding;
  private final Dimension dimension;

  private Towers(OnnxModel source) {
    ValueInfo output = source.graph().outputs().iterator().next();
    this.source = source;
    this.embedding = output.name();
    this.dimension = output.requireType().requireShape().dimension(-1);
    for (ValueInfo input : source.graph().requiredInputs()) {
      checkInput(input);
    }
    this.graph = source.graph().withoutNodes();
    this.b = new GraphBuilder(graph, "/towers");
    source.graph().requiredInputs().forEach(input -> graph.removeInput(input.name()));
    source.graph().valueInfo().forEach(value -> graph.removeValueInfo(value.name()));
  }

  /**
   * Anchors and texts both go through the encoder. Inputs: for each of the model's {@code
   * anchor.NAME} (batch, sequence) and {@code texts.NAME} (batch, texts, sequence).
   *
   * @param embedding the model of a {@link SentenceEmbedding}, which is left as it is
   * @throws LoraGraphException if an input is not (batch, sequence), or the batch has a fixed size
   */
  public static OnnxModel of(OnnxModel embedding) {
    return embedding.namingFile(
        () -> {
          Towers towers = new Towers(embedding);
          String anchor = towers.anchor();
          return towers.answering(towers.b.concat(1, anchor, towers.texts()), Dimension.unknown());
        });
  }

  /**
   * Only anchors go through the encoder: the embeddings of the texts are given, as {@link
   * #VECTORS}. So the anchors' side is trained for vectors that stay as they are.
   *
   * @param embedding the model of a {@link SentenceEmbedding}, which is left as it is
   * @throws LoraGraphException as {@link #of} does
   */
  public static OnnxModel anchorOnly(OnnxModel embedding) {
    return embedding.namingFile(
        () -> {
          Towers towers = new Towers(embedding);
          String anchor = towers.anchor();
          towers.graph.addInput(
              ValueInfo.of(
                  VECTORS,
                  new TensorType(
                      ElementType.FLOAT,
                      new Shape(
                          List.of(
                              Dimension.named(BATCH), Dimension.named(COUNT), towers.dimension)))));
          return towers.answering(towers.b.concat(1, anchor, VECTORS), Dimension.unknown());
        });
  }

  /**
   * Only anchors, for a loss that has the texts itself: the output is (batch, 1, dimension).
   *
   * @param embedding the model of a {@link SentenceEmbedding}, which is left as it is
   * @throws LoraGraphException as {@link #of} does
   */
  public static OnnxModel anchorAlone(OnnxModel embedding) {
    return embedding.namingFile(
        () -> {
          Towers towers = new Towers(embedding);
          return towers.answering(towers.anchor(), Dimension.of(1));
        });
  }

  private static void checkInput(ValueInfo input) {
    TensorType type = input.type();
    Shape shape = type == null ? null : type.shape();
    if (shape == null || shape.rank() != 2) {
      throw new LoraGraphException(
          "the model's input '%s' is of shape %s: groups of texts need a model whose inputs are all (batch, sequence)"
              .formatted(input.name(), shape == null ? "unknown" : shape));
    }
    if (shape.dimension(0).isKnown()) {
      throw new LoraGraphException(
          "the model's input '%s' is of shape %s, always %d rows: groups of texts need a model that was exported with an open batch axis"
              .formatted(input.name(), shape, shape.dimension(0).size()));
    }
  }

  /** The first tower: all nodes as they were, but for the names of the inputs. */
  private String anchor() {
    Map<String, String> names = new HashMap<>();
    for (ValueInfo input : source.graph().requiredInputs()) {
      String name = ANCHOR + input.name();
      names.put(input.name(), name);
      graph.addInput(ValueInfo.of(name, declared(input, ANCHOR, false)));
    }
    UnaryOperator<String> renamed = value -> names.getOrDefault(value, value);
    source.graph().nodes().forEach(node -> graph.add(node.withValuesNamed(renamed)));
    return b.reshape(names.getOrDefault(embedding, embedding), dimensions(0, 1));
  }

  /**
   * The second tower: what the embedding needs once more, under other names. What follows from
   * weights alone is read where the first tower has it.
   */
  private String texts() {
    Map<String, String> names = new HashMap<>();
    String sizes = null;
    for (ValueInfo input : source.graph().requiredInputs()) {
      String name = TEXTS + input.name();
      TensorType type = declared(input, TEXTS, true);
      graph.addInput(ValueInfo.of(name, type));
      Dimension sequence = type.requireShape().dimension(2);
      String rows =
          sequence.isKnown()
              ? b.reshape(name, -1, sequence.size())
              : b.reshape(name, b.concat(0, b.longs(-1), part(b.shape(name), 2, 3)));
      names.put(input.name(), rows);
      sizes = sizes == null ? part(b.shape(name), 0, 2) : sizes;
    }
    for (Node node : needed()) {
      for (String output : node.outputs()) {
        if (!output.isEmpty()) {
          names.put(output, graph.freshName(output + SECOND));
        }
      }
      Node second = node.withValuesNamed(value -> names.getOrDefault(value, value));
      graph.add(node.name().isEmpty() ? second : second.withName(node.name() + SECOND));
    }
    String rows = names.getOrDefault(embedding, embedding);
    String shape =
        sizes == null
            ? b.longs(-1, 1, dimension.size())
            : b.concat(0, sizes, b.longs(dimension.size()));
    return b.reshape(rows, shape);
  }

  private long[] dimensions(long... leading) {
    long[] sizes = new long[leading.length + 1];
    System.arraycopy(leading, 0, sizes, 0, leading.length);
    sizes[leading.length] = dimension.size();
    return sizes;
  }

  private String part(String shape, long from, long to) {
    return b.op("Slice", shape, b.longs(from), b.longs(to));
  }

  /** The nodes that the embedding depends on and that depend on an input, in their order. */
  private List<Node> needed() {
    Graph whole = source.graph();
    Set<String> below = AnswerSearch.below(whole, embedding);
    Set<String> moving = new HashSet<>();
    whole.requiredInputs().forEach(input -> moving.add(input.name()));
    List<Node> needed = new ArrayList<>();
    for (Node node : whole.nodes()) {
      boolean read = node.outputs().contains(embedding) || anyIn(node.outputs(), below);
      boolean drawn = node.reads().isEmpty() && !node.is("Constant");
      if (read && (drawn || anyIn(node.reads(), moving))) {
        moving.addAll(node.outputs());
        needed.add(node);
      }
    }
    return needed;
  }

  private static boolean anyIn(Iterable<String> values, Set<String> set) {
    for (String value : values) {
      if (!value.isEmpty() && set.contains(value)) {
        return true;
      }
    }
    return false;
  }

  /** Equal names of sizes stay equal within a tower, and are none of the other's. */
  private static TensorType declared(ValueInfo input, String tower, boolean several) {
    TensorType type = input.requireType();
    Dimension sequence = type.requireShape().dimension(1);
    if (sequence.symbol() != null) {
      sequence = Dimension.named(tower + sequence.symbol());
    }
    Dimension batch = Dimension.named(BATCH);
    return new TensorType(
        type.elementType(),
        new Shape(
            several ? List.of(batch, Dimension.named(COUNT), sequence) : List.of(batch, sequence)));
  }

  private OnnxModel answering(String value, Dimension count) {
    Node producer = graph.requireProducer(value);
    String name = graph.freshName(EMBEDDINGS);
    graph.replace(producer, producer.withOutput(producer.outputs().indexOf(value), name));
    graph.clearOutputs();
    graph.addOutput(
        ValueInfo.of(
            name,
            new TensorType(
                ElementType.FLOAT, new Shape(List.of(Dimension.named(BATCH), count, dimension)))));
    return source.withGraph(graph).withMetadata(Logits.PLAIN, name);
  }
}
