package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model that answers with one vector for each text, out of an encoder: pooling and normalization
 * are put on where the file has none. The encoder is left as it is; both share their weights.
 *
 * @param model its only output is the embedding, FLOAT (batch, dimension), which is noted in it as
 *     {@link Logits#applyTo} notes the logits, so that engines and sessions see nothing else
 * @param pooling what was put on; empty where the file pools
 * @param normalized whether the embedding has the length 1, by the file or by us
 * @param normalizedInFile whether it has by the file
 * @param dimension how many numbers an embedding has
 * @param output the encoder's output that it was made of
 * @param notes what is worth saying of the choice, a line each
 */
public record SentenceEmbedding(
    OnnxModel model,
    Optional<Pooling> pooling,
    boolean normalized,
    boolean normalizedInFile,
    int dimension,
    String output,
    List<String> notes) {
  /** The input that is 1 for tokens and 0 for padding. */
  private static final String MASK = "attention_mask";

  private static final String NAME = "sentence_embedding";

  public SentenceEmbedding {
    notes = List.copyOf(notes);
  }

  /**
   * Makes the model of an encoder. Its output is the chosen one ({@link Logits#CHOSEN}); else one
   * that is pooled already, (batch, dimension); else its token states, (batch, sequence,
   * dimension). BERT's pooler, which is trained for something else, is taken only where there is
   * nothing else.
   *
   * @param pooling of token states; null where it is not known, which is enough for a model that
   *     pools itself
   * @param normalize whether the embedding is to have the length 1; null for as the file has it
   * @param inference asked only where the model does not declare the shapes of its outputs
   * @throws LoraGraphException if the model has no such output, or several; if it answers with
   *     token states and no pooling is given; if it pools itself, and otherwise than is asked for
   */
  public static SentenceEmbedding of(
      OnnxModel source,
      @Nullable Pooling pooling,
      @Nullable Boolean normalize,
      ShapeInference inference) {
    return source.namingFile(() -> made(source, pooling, normalize, inference));
  }

  private static SentenceEmbedding made(
      OnnxModel source,
      @Nullable Pooling pooling,
      @Nullable Boolean normalize,
      ShapeInference inference) {
    EmbeddingOutput found = EmbeddingOutput.of(TypedModel.of(source, inference));
    List<String> notes = new ArrayList<>(found.notes());
    Graph graph = source.graph().copy();
    EmbeddingGraph end =
        new EmbeddingGraph(graph, source.opset(), graph.isInput(MASK) ? MASK : null);
    String value = found.name();
    Shape shape = found.type().requireShape();
    boolean tokens = shape.rank() == 3;
    if (found.type().elementType() != ElementType.FLOAT) {
      value = end.inSingle(value);
    }
    if (tokens) {
      if (pooling == null) {
        throw new LoraGraphException(
            "'%s' %s has a vector for each token, and nothing says how they become one for a text"
                .formatted(found.name(), shape),
            Remedy.NAME_POOLING);
      }
      if (pooling != Pooling.CLS && !graph.isInput(MASK)) {
        notes.add(
            "the model has no input '%s': %s pooling counts all tokens of a row, padding too"
                .formatted(MASK, pooling));
      }
      value = end.pooled(value, pooling);
    } else if (pooling != null) {
      checkPooling(source.graph(), found, pooling, notes);
    }
    boolean inFile = !tokens && UnitLength.is(source.graph(), found.name());
    if (inFile && Boolean.FALSE.equals(normalize)) {
      notes.add(
          "'%s' is normalized by the model itself, so all embeddings are".formatted(found.name()));
    }
    boolean ours = Boolean.TRUE.equals(normalize) && !inFile;
    if (ours) {
      value = end.normalized(value);
    }
    if (!value.equals(found.name())) {
      value = named(graph, value);
    }
    Shape.Dimension dimension = shape.dimension(-1);
    graph.clearOutputs();
    graph.addOutput(
        ValueInfo.of(
            value,
            new TensorType(ElementType.FLOAT, new Shape(List.of(shape.dimension(0), dimension)))));
    return new SentenceEmbedding(
        source.withGraph(graph).withMetadata(Logits.PLAIN, value),
        tokens ? Optional.ofNullable(pooling) : Optional.empty(),
        ours || inFile,
        inFile,
        Math.toIntExact(dimension.size()),
        found.name(),
        notes);
  }

  /** The file's pooling is the model's: another one would be of other vectors. */
  private static void checkPooling(
      Graph graph, EmbeddingOutput found, Pooling asked, List<String> notes) {
    Optional<Pooling> own = EmbeddingOutput.pooling(graph, found.name());
    if (own.isEmpty()) {
      notes.add(
          "'%s' is pooled by the model itself, in a way that is not recognised: %s is not put on"
              .formatted(found.name(), asked));
    } else if (own.get() != asked) {
      throw new LoraGraphException(
          "'%s' is pooled by the model itself: by %s, not by %s; %s"
              .formatted(
                  found.name(),
                  own.get(),
                  asked,
                  found
                      .tokens()
                      .map(tokens -> "'%s' has the tokens to pool otherwise".formatted(tokens))
                      .orElse("and it has no output of tokens to pool otherwise")),
          found.tokens().isPresent() ? Remedy.NAME_OUTPUT : Remedy.NAME_OTHER_OUTPUT);
    }
  }

  /** A name that users of the graph can guess. */
  private static String named(Graph graph, String value) {
    String name = graph.freshName(NAME);
    Node producer = graph.requireProducer(value);
    graph.replace(producer, producer.withOutput(producer.outputs().indexOf(value), name));
    return name;
  }
}
