package io.github.loragraph.cache;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the tool unpacks once what it uses again: native libraries and bundled models. It may be
 * deleted at any time, and may be read-only where it has all that is needed.
 *
 * <p>What lies there is run, so a folder is used only if nobody else can write to it; else, or
 * where it cannot be written, one of this user's in the folder for temporary files is. Content is
 * checked against what the class path has: see {@link CachedFile}. Both are said in a line of the
 * log where they differ from what was to be expected.
 */
public final class ToolCache {
  private static final Logger LOG = LoggerFactory.getLogger(ToolCache.class);
  private static final String NAME = "lora-graph";
  private static final String VARIABLE = "LORA_GRAPH_CACHE";

  /** Each line is said once in a process. */
  private static final Set<String> SAID = new HashSet<>();

  /** In the order in which they are tried. */
  private final List<Path> roots;

  private ToolCache(List<Path> roots) {
    this.roots = roots;
  }

  /**
   * The cache of this user: {@code $LORA_GRAPH_CACHE}, else the platform's usual place: {@code
   * $XDG_CACHE_HOME/lora-graph} or {@code ~/.cache/lora-graph}, {@code
   * ~/Library/Caches/lora-graph}, {@code %LOCALAPPDATA%\lora-graph}.
   */
  public static ToolCache ofThisUser() {
    List<Path> roots = new ArrayList<>();
    usual().ifPresent(roots::add);
    // Where groups may write to whatever a user makes, earlier versions let them write here.
    if (!isSet(System.getenv(VARIABLE))) {
      roots.forEach(CachedFile::shutOut);
    }
    roots.add(
        Path.of(System.getProperty("java.io.tmpdir"), NAME + "-" + CurrentUser.name())
            .toAbsolutePath());
    return new ToolCache(roots);
  }

  /** A cache in a folder, and nowhere else. */
  public static ToolCache in(Path folder) {
    return new ToolCache(List.of(folder.toAbsolutePath()));
  }

  /** Empty where this user has no home. */
  private static Optional<Path> usual() {
    String own = System.getenv(VARIABLE);
    if (isSet(own)) {
      return Optional.of(Path.of(own).toAbsolutePath());
    }
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String local = System.getenv("LOCALAPPDATA");
    if (system.contains("windows") && isSet(local)) {
      return Optional.of(Path.of(local, NAME));
    }
    String caches = System.getenv("XDG_CACHE_HOME");
    if (isSet(caches) && Path.of(caches).isAbsolute()) {
      return Optional.of(Path.of(caches, NAME));
    }
    String home = System.getProperty("user.home");
    // Java says "?" where the system does not know the user.
    if (!isSet(home) || !Path.of(home).isAbsolute()) {
      return Optional.empty();
    }
    if (system.contains("mac")) {
      return Optional.of(Path.of(home, "Library", "Caches", NAME));
    }
    if (system.contains("windows")) {
      return Optional.of(Path.of(home, "AppData", "Local", NAME));
    }
    return Optional.of(Path.of(home, ".cache", NAME));
  }

  private static boolean isSet(String variable) {
    return variable != null && !variable.isBlank();
  }

  /**
   * The folder of the cache that files can be put into; it need not be there yet.
   *
   * @throws LoraGraphException if there is none
   */
  public Path folder() {
    return said(
        roots.stream()
            .filter(root -> whyNotWritable(root).isEmpty())
            .findFirst()
            .orElseThrow(() -> cannotWrite(roots.get(0), reasons(), null)));
  }

  /**
   * A folder of the cache, made if it is not there.
   *
   * @throws LoraGraphException if there is none that can be written to
   */
  public Path folder(String name) {
    Path root = folder();
    return made(root, root.resolve(name));
  }

  private static Path made(Path root, Path folder) {
    try {
      Privacy.createFolders(folder);
    } catch (IOException e) {
      throw cannotWrite(folder, AtomicFile.reason(e), e);
    }
    // Another user may have been faster where all can make folders.
    Privacy.whyOthersCanWrite(root)
        .ifPresent(
            reason -> {
              throw cannotWrite(folder, reason, null);
            });
    return folder;
  }

  /**
   * Unpacks resources of the class path where they are not there yet, or not whole.
   *
   * @param name of the folder for them, with {@code /} between its parts; the checksums are added
   *     to it, so that another release of the tool, with other content, has another folder
   * @param files the resources by the names of the files
   * @return the folder, in which all of them are
   * @throws LoraGraphException if no folder can be used
   */
  public Path unpack(String name, Map<String, URL> files) {
    Map<String, Resource> resources = new LinkedHashMap<>();
    files.forEach((file, url) -> resources.put(file, Resource.of(url)));
    String checksums =
        resources.values().stream().map(Resource::checksumName).collect(Collectors.joining("-"));
    return put(name + "-" + checksums, resources);
  }

  /**
   * The same for contents of which some may be no resources, and in a folder of just that name,
   * which should change when the content does.
   */
  public Path put(String name, Map<String, Resource> files) {
    List<Path> usable = roots.stream().filter(root -> whyNotUsable(root).isEmpty()).toList();
    for (Path root : usable) {
      if (CachedFile.areIntact(root.resolve(name), files)) {
        return said(root).resolve(name);
      }
    }
    Path root = folder();
    Path folder = made(root, root.resolve(name));
    files.forEach(
        (file, content) -> {
          CachedFile cached = new CachedFile(folder.resolve(file));
          if (cached.make(content)) {
            say("%s was damaged, and has been made anew".formatted(folder.resolve(file)));
          }
        });
    return folder;
  }

  /** Says it where a folder is not the first choice. */
  private Path said(Path root) {
    if (!root.equals(roots.get(0))) {
      say(
          "the cache is %s: %s"
              .formatted(root, whyNot(roots.get(0)).orElse("it has what is needed")));
    } else if (roots.size() == 1 && root.getFileName().toString().startsWith(NAME + "-")) {
      say(
          "the cache is %s: this user has no home folder (%s names another place)"
              .formatted(root, VARIABLE));
    }
    return root;
  }

  private String reasons() {
    return roots.stream().flatMap(root -> whyNot(root).stream()).collect(Collectors.joining("; "));
  }

  private static Optional<String> whyNot(Path root) {
    return whyNotUsable(root)
        .or(() -> whyNotWritable(root))
        .map(reason -> reason + " (%s names another place)".formatted(VARIABLE));
  }

  private static Optional<String> whyNotUsable(Path root) {
    return Privacy.whyOthersCanWrite(root);
  }

  private static Optional<String> whyNotWritable(Path root) {
    return whyNotUsable(root).or(() -> Privacy.whyNotWritable(root));
  }

  private static LoraGraphException cannotWrite(
      Path folder, String reason, @Nullable Throwable cause) {
    return new LoraGraphException(
        "cannot write to %s: %s (set %s to a folder of this user's that can be written: it is the tool's cache)"
            .formatted(folder, reason, VARIABLE),
        cause);
  }

  private static void say(String line) {
    synchronized (SAID) {
      if (SAID.add(line)) {
        LOG.warn("{}", line);
      }
    }
  }
}
