package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.Model;
import io.github.loragraph.cli.Main;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.ort.OrtRuntime;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** What the training image is made of, without making one. */
class ImageFilesTest {
  private static final Path ROOT = Path.of("..");
  private static final Path IMAGE = Path.of("src", "image");

  @Test
  void theRuntimeHasTheModulesThatTheJarsNeed(@TempDir Path folder) throws Exception {
    Set<String> listed = modules("");
    Set<String> leftOut = modules("-");

    Set<String> needed = new TreeSet<>(needed(folder));

    assertEquals(needed, union(listed, leftOut), "src/image/modules");
    assertEquals(listed.size() + leftOut.size(), union(listed, leftOut).size(), "in both lists");
  }

  private static Set<String> union(Set<String> some, Set<String> others) {
    Set<String> all = new TreeSet<>(some);
    all.addAll(others);
    return all;
  }

  /** The modules of the list whose lines begin with a sign. */
  private static Set<String> modules(String sign) throws IOException {
    Pattern line = Pattern.compile(sign + "([a-z][a-z0-9.]*)\\b.*");
    return Files.readAllLines(IMAGE.resolve("modules")).stream()
        .map(line::matcher)
        .filter(Matcher::matches)
        .map(matcher -> matcher.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** What jdeps finds in our classes and, from them, in the libraries. */
  private static List<String> needed(Path folder) throws IOException, URISyntaxException {
    List<String> arguments =
        new ArrayList<>(
            List.of("--multi-release", "17", "--ignore-missing-deps", "--list-deps", "-cp"));
    arguments.add(
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> entry.endsWith(".jar") && !entry.contains("lora-graph"))
            .collect(Collectors.joining(File.pathSeparator)));
    for (Class<?> type :
        List.of(
            OnnxFile.class, OrtRuntime.class, Model.class, Main.class, SageMakerCommand.class)) {
      // Without its declaration it is looked at as what it is in the image: a part of the class
      // path.
      Path copy = folder.resolve(type.getSimpleName());
      copyClasses(Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()), copy);
      arguments.add(copy.toString());
    }
    StringWriter out = new StringWriter();
    int code =
        ToolProvider.findFirst("jdeps")
            .orElseThrow()
            .run(new PrintWriter(out), new PrintWriter(out), arguments.toArray(String[]::new));
    assertEquals(0, code, out.toString());
    return out.toString().lines().map(line -> line.strip().split("[/ ]")[0]).toList();
  }

  private static void copyClasses(Path origin, Path target) throws IOException {
    if (Files.isDirectory(origin)) {
      copyTree(origin, target);
    } else {
      try (FileSystem jar = FileSystems.newFileSystem(origin)) {
        copyTree(jar.getPath("/"), target);
      }
    }
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
        if (!file.endsWith("module-info.class")) {
          Path copy = to.resolve(from.relativize(file).toString());
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
        }
      }
    }
  }

  @Test
  void theVirtualMachineHasTheOptionsOfTheLauncher() throws IOException {
    Matcher launcher =
        Pattern.compile("(?m)^options=\\((.*)\\)$")
            .matcher(Files.readString(ROOT.resolve("lora-graph")));
    assertTrue(launcher.find(), "lora-graph has no line options=(...)");

    List<String> options = Files.readAllLines(IMAGE.resolve("java.options"));

    assertEquals(
        Arrays.asList(launcher.group(1).split(" ")), options.subList(0, options.indexOf("-cp")));
    assertEquals(
        List.of("-cp", "/opt/lora-graph/app/*:/opt/lora-graph/lib/*"),
        options.subList(options.indexOf("-cp"), options.size()));
  }

  @Test
  void theDockerfileMakesTheImageOfThePom() throws Exception {
    Element profile = profile();
    Element jib = child(profile, "entrypoint");
    List<String> docker = Files.readAllLines(ROOT.resolve("Dockerfile"));

    assertEquals(texts(jib), new ObjectMapper().readValue(only(docker, "ENTRYPOINT"), List.class));
    assertEquals(child(profile, "image.user").getTextContent(), only(docker, "USER"));
    assertEquals(child(profile, "workingDirectory").getTextContent(), only(docker, "WORKDIR", 1));
    TreeMap<String, String> environment = new TreeMap<>();
    for (String setting : only(docker, "ENV").split(" ")) {
      environment.put(setting.split("=")[0], setting.split("=")[1]);
    }
    TreeMap<String, String> expected = new TreeMap<>();
    for (Element setting : children(child(profile, "environment"))) {
      expected.put(setting.getTagName(), setting.getTextContent());
    }
    assertEquals(expected, environment);
    String files = "/source/sagemaker/target/image/";
    assertEquals(
        texts(child(profile, "paths")).stream()
            .map(path -> "--from=build " + path.replace("${image.files}/", files) + "/ /")
            .toList(),
        instructions(docker, "COPY").filter(copy -> copy.startsWith("--from")).toList());
    assertEquals(
        List.of(
            "mvn -B -q -Pimage -Djib.skip -Dimage.base=$BASE -DskipTests -pl sagemaker -am package",
            "mkdir -p /opt/ml && chmod 1777 /opt/ml"),
        instructions(docker, "RUN").toList());
  }

  @Test
  void dockerIsGivenWhatTheBuildReads() throws IOException {
    List<String> ignored =
        Files.readAllLines(ROOT.resolve(".dockerignore")).stream()
            .filter(line -> !line.startsWith("#"))
            .toList();
    Set<String> read = new TreeSet<>(List.of("pom.xml", ".mvn", "LICENSE", "NOTICE"));
    Matcher module =
        Pattern.compile("<module>(.*)</module>").matcher(Files.readString(ROOT.resolve("pom.xml")));
    while (module.find()) {
      read.add(module.group(1));
    }

    assertTrue(ignored.contains("**/target"), "what is built here would be taken for built there");
    for (String file : read) {
      assertTrue(Files.exists(ROOT.resolve(file)), file);
      assertFalse(ignored.contains(file), file);
    }
    assertTrue(
        ignored.stream().allMatch(line -> line.equals("**/target") || line.matches("[.a-z]+")),
        "this test does not know such patterns: " + ignored);
  }

  private static Element profile() throws Exception {
    NodeList profiles =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new File("pom.xml"))
            .getElementsByTagName("profile");
    for (int i = 0; i < profiles.getLength(); i++) {
      Element profile = (Element) profiles.item(i);
      if (child(profile, "id").getTextContent().equals("image")) {
        return profile;
      }
    }
    throw new AssertionError("pom.xml has no profile image");
  }

  private static Element child(Element parent, String name) {
    return (Element) parent.getElementsByTagName(name).item(0);
  }

  private static List<Element> children(Element parent) {
    List<Element> elements = new ArrayList<>();
    for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element) {
        elements.add(element);
      }
    }
    return elements;
  }

  private static List<String> texts(Element parent) {
    return children(parent).stream().map(Element::getTextContent).toList();
  }

  private static Stream<String> instructions(List<String> dockerfile, String name) {
    return dockerfile.stream()
        .filter(line -> line.startsWith(name + " "))
        .map(line -> line.substring(name.length() + 1));
  }

  private static String only(List<String> dockerfile, String name) {
    return only(dockerfile, name, 0);
  }

  /** The instruction of a name, after some in the stage that builds. */
  private static String only(List<String> dockerfile, String name, int before) {
    List<String> all = instructions(dockerfile, name).toList();
    assertEquals(before + 1, all.size(), name);
    return all.get(before);
  }
}
