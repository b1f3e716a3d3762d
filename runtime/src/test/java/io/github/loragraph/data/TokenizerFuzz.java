package io.github.loragraph.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Reads and uses damaged tokenizers, in a process of its own: what native code cannot bear ends it.
 * Arguments: a folder for files, the number of tries, the seed, and undamaged tokenizers.
 */
final class TokenizerFuzz {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final List<String> TEXTS =
      List.of(
          "a",
          "",
          " ",
          "the history of a z\u00e9bra, 12,5 \ud83d\ude00 \u4e2d\u6587 !",
          "\u0000\ufffd\ufeff\u200b\u0301",
          "\ud800 lone",
          "<s> [CLS] [MASK] </s>",
          "x".repeat(3000));

  private final Random random;

  private TokenizerFuzz(Random random) {
    this.random = random;
  }

  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[0]).resolve("tokenizer.json");
    long seed = Long.parseLong(arguments[2]);
    int used = 0;
    for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
      TokenizerFuzz fuzz = new TokenizerFuzz(new Random(seed + i));
      String base = arguments[3 + i % (arguments.length - 3)];
      byte[] content = Files.readAllBytes(Path.of(base));
      Files.write(file, fuzz.damaged(content));
      if (arguments.length == 4) {
        System.out.println("seed " + (seed + i));
      }
      try {
        use(file);
        used++;
      } catch (LoraGraphException e) {
        if (e.getMessage().length() > 600 || e.getMessage().lines().count() != 1) {
          throw new AssertionError("seed " + (seed + i) + ": " + e.getMessage(), e);
        }
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + (seed + i) + " of " + base, e);
      }
    }
    System.out.println("used " + used);
  }

  private static void use(Path file) {
    try (Tokenizer tokenizer = Tokenizer.read(file, 32)) {
      for (int i = 0; i < TEXTS.size(); i++) {
        tokenizer.encode(TEXTS.subList(i, i + 1), null);
        tokenizer.encode(TEXTS.subList(i, i + 1), TEXTS.subList(0, 1));
      }
      for (long id : new long[] {0, 1, 5, 1_000_000, Integer.MAX_VALUE}) {
        tokenizer.text(id);
      }
    }
  }

  private byte[] damaged(byte[] content) throws IOException {
    ObjectMapper json = new ObjectMapper();
    if (random.nextInt(10) == 0) {
      byte[] cut = java.util.Arrays.copyOf(content, random.nextInt(content.length));
      return random.nextBoolean() ? cut : flipped(content);
    }
    JsonNode root = json.readTree(content);
    for (int times = 1 + random.nextInt(2); times > 0; times--) {
      damage(root);
    }
    return json.writeValueAsBytes(root);
  }

  private byte[] flipped(byte[] content) {
    for (int i = 0; i < 4; i++) {
      content[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(7));
    }
    return content;
  }

  /** Goes down some way, and puts something else there; a vocabulary is not all there is. */
  private void damage(JsonNode root) {
    JsonNode at = root;
    while (true) {
      List<Object> keys = new ArrayList<>();
      if (at instanceof ObjectNode object) {
        object.fieldNames().forEachRemaining(keys::add);
      } else {
        for (int i = 0; i < at.size(); i++) {
          keys.add(i);
        }
      }
      Object key = keys.get(random.nextInt(keys.size()));
      JsonNode next = key instanceof String name ? at.get(name) : at.get((int) key);
      if (next.isContainerNode() && !next.isEmpty() && random.nextInt(12) > 0) {
        at = next;
        continue;
      }
      JsonNode other = other(next);
      if (at instanceof ObjectNode object) {
        if (random.nextInt(5) == 0) {
          object.remove((String) key);
        } else {
          object.set((String) key, other);
        }
      } else {
        ((ArrayNode) at).set((int) key, other);
      }
      return;
    }
  }

  private JsonNode other(JsonNode before) {
    return switch (random.nextInt(18)) {
      case 0 -> NODES.numberNode(-1);
      case 1 -> NODES.numberNode(1L << 31);
      case 2 -> NODES.numberNode((1L << 32) - 1);
      case 3 -> NODES.numberNode(1L << 32);
      case 4 -> NODES.numberNode(BigInteger.ONE.shiftLeft(70));
      case 5 -> NODES.numberNode(1.5);
      case 6 -> NODES.numberNode(1e300);
      case 7 -> NODES.numberNode(0);
      case 8 -> NODES.textNode("");
      case 9 -> NODES.textNode("x");
      case 10 -> NODES.textNode("\u00e9".repeat(5000));
      case 11 -> NODES.nullNode();
      case 12 -> NODES.arrayNode();
      case 13 -> NODES.objectNode();
      case 14 -> NODES.booleanNode(!before.asBoolean());
      case 15 -> NODES.textNode("(" + before.asText());
      case 16 -> NODES.arrayNode().add(before);
      default -> nested();
    };
  }

  private static JsonNode nested() {
    ArrayNode outer = NODES.arrayNode();
    ArrayNode at = outer;
    for (int i = 0; i < 500; i++) {
      at = at.addArray();
    }
    return outer;
  }
}
