// Names of all EC2 actions, by their verb: the commands of @aws-sdk/client-ec2 3.1169.
// To renew it, list the exports of that package that end in "Command".
const NOUNS_BY_VERB: Readonly<Record<string, string>> = {
  Accept: `
    AddressTransfer CapacityReservationBillingOwnership ReservedInstancesExchangeQuote
    TransitGatewayClientVpnAttachment TransitGatewayMulticastDomainAssociations TransitGatewayPeeringAttachment
    TransitGatewayVpcAttachment VpcEndpointConnections VpcPeeringConnection`,
  Advertise: `
    ByoipCidr`,
  Allocate: `
    Address Hosts IpamPoolCidr`,
  Apply: `
    SecurityGroupsToClientVpnTargetNetwork`,
  Assign: `
    Ipv6Addresses PrivateIpAddresses PrivateNatGatewayAddress`,
  Associate: `
    Address ApplicationStatusCheck CapacityReservationBillingOwner ClientVpnTargetNetwork DhcpOptions
    EnclaveCertificateIamRole IamInstanceProfile InstanceEventWindow IpamByoasn IpamResourceDiscovery
    NatGatewayAddress NetworkingFlexCostAllocationPolicy RouteServer RouteTable SecurityGroupVpc SubnetCidrBlock
    TransitGatewayMulticastDomain TransitGatewayPolicyTable TransitGatewayRouteTable TrunkInterface VpcCidrBlock`,
  Attach: `
    ClassicLinkVpc ImageWatermark InternetGateway NetworkInterface VerifiedAccessTrustProvider Volume VpnGateway`,
  Authorize: `
    ClientVpnIngress SecurityGroupEgress SecurityGroupIngress`,
  Batch: `
    ModifyIpamRoutingPolicyRegistrations`,
  Bundle: `
    Instance`,
  Cancel: `
    BundleTask CapacityReservation CapacityReservationFleets ConversionTask DeclarativePoliciesReport ExportTask
    ImageLaunchPermission ImportTask ReservedInstancesListing SpotFleetRequests SpotInstanceRequests`,
  Confirm: `
    ProductInstance`,
  Copy: `
    FpgaImage Image Snapshot Volumes`,
  Create: `
    ApplicationStatusCheck CapacityManagerDataExport CapacityReservation CapacityReservationBySplitting
    CapacityReservationCancellationQuote CapacityReservationDateChangeQuote CapacityReservationFleet CarrierGateway
    ClientVpnEndpoint ClientVpnRoute CoipCidr CoipPool CustomerGateway DefaultSubnet DefaultVpc
    DelegateMacVolumeOwnershipTask DhcpOptions EgressOnlyInternetGateway Fleet FlowLogs FpgaImage Image
    ImageUsageReport InstanceConnectEndpoint InstanceEventWindow InstanceExportTask InternetGateway
    InterruptibleCapacityReservationAllocation Ipam IpamExternalResourceVerificationToken
    IpamInternetRegistryAssociation IpamPolicy IpamPool IpamPrefixListResolver IpamPrefixListResolverTarget
    IpamResourceDiscovery IpamRoutingPolicyRegistration IpamScope KeyPair LaunchTemplate LaunchTemplateVersion
    LocalGatewayRoute LocalGatewayRouteTable LocalGatewayRouteTableVirtualInterfaceGroupAssociation
    LocalGatewayRouteTableVpcAssociation LocalGatewayVirtualInterface LocalGatewayVirtualInterfaceGroup
    MacSystemIntegrityProtectionModificationTask ManagedPrefixList MetricCategory NatGateway NetworkAcl
    NetworkAclEntry NetworkInsightsAccessScope NetworkInsightsPath NetworkInterface NetworkInterfacePermission
    NetworkingFlexCostAllocationPolicy PlacementGroup PublicIpv4Pool ReplaceRootVolumeTask ReservedInstancesListing
    RestoreImageTask Route RouteServer RouteServerEndpoint RouteServerPeer RouteTable SecondaryNetwork SecondarySubnet
    SecurityGroup Snapshot Snapshots SpotDatafeedSubscription StoreImageTask Subnet SubnetCidrReservation Tags
    TrafficMirrorFilter TrafficMirrorFilterRule TrafficMirrorSession TrafficMirrorTarget TransitGateway
    TransitGatewayConnect TransitGatewayConnectPeer TransitGatewayMeteringPolicy TransitGatewayMeteringPolicyEntry
    TransitGatewayMulticastDomain TransitGatewayPeeringAttachment TransitGatewayPolicyTable
    TransitGatewayPolicyTableEntry TransitGatewayPrefixListReference TransitGatewayRoute TransitGatewayRouteTable
    TransitGatewayRouteTableAnnouncement TransitGatewayVpcAttachment VerifiedAccessEndpoint VerifiedAccessGroup
    VerifiedAccessInstance VerifiedAccessTrustProvider Volume Vpc VpcBlockPublicAccessExclusion VpcEncryptionControl
    VpcEndpoint VpcEndpointConnectionNotification VpcEndpointServiceConfiguration VpcPeeringConnection VpnConcentrator
    VpnConnection VpnConnectionRoute VpnGateway`,
  Delete: `
    ApplicationStatusCheck CapacityManagerDataExport CarrierGateway ClientVpnEndpoint
    ClientVpnEndpointAuthorizationPolicy ClientVpnRoute CoipCidr CoipPool CustomerGateway DhcpOptions
    EgressOnlyInternetGateway Fleets FlowLogs FpgaImage ImageUsageReport InstanceConnectEndpoint InstanceEventWindow
    InternetGateway Ipam IpamExternalResourceVerificationToken IpamInternetRegistryAssociation IpamPolicy IpamPool
    IpamPrefixListResolver IpamPrefixListResolverTarget IpamResourceDiscovery IpamRoutingPolicyRegistration IpamScope
    KeyPair LaunchTemplate LaunchTemplateVersions LocalGatewayRoute LocalGatewayRouteTable
    LocalGatewayRouteTableVirtualInterfaceGroupAssociation LocalGatewayRouteTableVpcAssociation
    LocalGatewayVirtualInterface LocalGatewayVirtualInterfaceGroup ManagedPrefixList MetricCategory NatGateway
    NetworkAcl NetworkAclEntry NetworkInsightsAccessScope NetworkInsightsAccessScopeAnalysis NetworkInsightsAnalysis
    NetworkInsightsPath NetworkInterface NetworkInterfacePermission NetworkingFlexCostAllocationPolicies
    PlacementGroup PublicIpv4Pool QueuedReservedInstances Route RouteServer RouteServerEndpoint RouteServerPeer
    RouteTable SecondaryNetwork SecondarySubnet SecurityGroup Snapshot SpotDatafeedSubscription Subnet
    SubnetCidrReservation Tags TrafficMirrorFilter TrafficMirrorFilterRule TrafficMirrorSession TrafficMirrorTarget
    TransitGateway TransitGatewayClientVpnAttachment TransitGatewayConnect TransitGatewayConnectPeer
    TransitGatewayMeteringPolicy TransitGatewayMeteringPolicyEntry TransitGatewayMulticastDomain
    TransitGatewayPeeringAttachment TransitGatewayPolicyTable TransitGatewayPolicyTableEntry
    TransitGatewayPrefixListReference TransitGatewayRoute TransitGatewayRouteTable
    TransitGatewayRouteTableAnnouncement TransitGatewayVpcAttachment VerifiedAccessEndpoint VerifiedAccessGroup
    VerifiedAccessInstance VerifiedAccessTrustProvider Volume Vpc VpcBlockPublicAccessExclusion VpcEncryptionControl
    VpcEndpointConnectionNotifications VpcEndpointServiceConfigurations VpcEndpoints VpcPeeringConnection
    VpnConcentrator VpnConnection VpnConnectionRoute VpnGateway`,
  Deprovision: `
    ByoipCidr IpamByoasn IpamPoolCidr PublicIpv4PoolCidr`,
  Deregister: `
    Image InstanceEventNotificationAttributes TransitGatewayMulticastGroupMembers TransitGatewayMulticastGroupSources`,
  Describe: `
    AccountAttributes AccountVpcEncryptionControl AddressTransfers Addresses AddressesAttribute AggregateIdFormat
    ApplicationStatus ApplicationStatusCheckAssociations ApplicationStatusChecks AvailabilityZones
    AwsNetworkPerformanceMetricSubscriptions BundleTasks ByoipCidrs CapacityBlockExtensionHistory
    CapacityBlockExtensionOfferings CapacityBlockOfferings CapacityBlockStatus CapacityBlocks
    CapacityManagerDataExports CapacityReservationBillingRequests CapacityReservationCancellationQuotes
    CapacityReservationDateChangeQuotes CapacityReservationFleets CapacityReservationTopology CapacityReservations
    CarrierGateways ClassicLinkInstances ClientVpnAuthorizationRules ClientVpnConnections ClientVpnEndpoints
    ClientVpnRoutes ClientVpnTargetNetworks CoipPools ConversionTasks CustomerGateways DeclarativePoliciesReports
    DhcpOptions EgressOnlyInternetGateways ElasticGpus ExportImageTasks ExportTasks FastLaunchImages
    FastSnapshotRestores FleetHistory FleetInstances Fleets FlowLogs FpgaImageAttribute FpgaImages
    HostReservationOfferings HostReservations Hosts IamInstanceProfileAssociations IdFormat IdentityIdFormat
    ImageAttribute ImageReferences ImageUsageReportEntries ImageUsageReports Images ImportImageTasks
    ImportSnapshotTasks InstanceAttribute InstanceConnectEndpoints InstanceCreditSpecifications
    InstanceEventNotificationAttributes InstanceEventWindows InstanceImageMetadata InstanceSqlHaHistoryStates
    InstanceSqlHaStates InstanceStatus InstanceTopology InstanceTypeOfferings InstanceTypes Instances InternetGateways
    IpamByoasn IpamExternalResourceVerificationTokens IpamInternetRegistryAssociations IpamPolicies
    IpamPoolAllocations IpamPools IpamPrefixListResolverTargets IpamPrefixListResolvers IpamResourceDiscoveries
    IpamResourceDiscoveryAssociations IpamScopes Ipams Ipv6Pools KeyPairs LaunchTemplateVersions LaunchTemplates
    LocalGatewayRouteTableVirtualInterfaceGroupAssociations LocalGatewayRouteTableVpcAssociations
    LocalGatewayRouteTables LocalGatewayVirtualInterfaceGroups LocalGatewayVirtualInterfaces LocalGateways
    LockedSnapshots MacHosts MacModificationTasks ManagedPrefixLists MetricCategories MovingAddresses NatGateways
    NetworkAcls NetworkInsightsAccessScopeAnalyses NetworkInsightsAccessScopes NetworkInsightsAnalyses
    NetworkInsightsPaths NetworkInterfaceAttribute NetworkInterfacePermissions NetworkInterfaces
    NetworkingFlexCostAllocationPolicies NetworkingFlexCostAllocationPolicyAssociations OutpostLags PlacementGroups
    PrefixLists PrincipalIdFormat PublicIpv4Pools Regions ReplaceRootVolumeTasks ReservedInstances
    ReservedInstancesListings ReservedInstancesModifications ReservedInstancesOfferings RouteServerEndpoints
    RouteServerPeers RouteServers RouteTables ScheduledInstanceAvailability ScheduledInstances SecondaryInterfaces
    SecondaryNetworks SecondarySubnets SecurityGroupReferences SecurityGroupRules SecurityGroupVpcAssociations
    SecurityGroups ServiceLinkVirtualInterfaces SnapshotAttribute SnapshotTierStatus Snapshots
    SpotDatafeedSubscription SpotFleetInstances SpotFleetRequestHistory SpotFleetRequests SpotInstanceRequests
    SpotPriceHistory StaleSecurityGroups StoreImageTasks Subnets Tags TrafficMirrorFilterRules TrafficMirrorFilters
    TrafficMirrorSessions TrafficMirrorTargets TransitGatewayAttachments TransitGatewayConnectPeers
    TransitGatewayConnects TransitGatewayMeteringPolicies TransitGatewayMulticastDomains
    TransitGatewayPeeringAttachments TransitGatewayPolicyTables TransitGatewayRouteTableAnnouncements
    TransitGatewayRouteTables TransitGatewayVpcAttachments TransitGateways TrunkInterfaceAssociations
    VerifiedAccessEndpoints VerifiedAccessGroups VerifiedAccessInstanceLoggingConfigurations VerifiedAccessInstances
    VerifiedAccessTrustProviders VolumeAttribute VolumeStatus Volumes VolumesModifications VpcAttribute
    VpcBlockPublicAccessExclusions VpcBlockPublicAccessOptions VpcClassicLink VpcClassicLinkDnsSupport
    VpcEncryptionControls VpcEndpointAssociations VpcEndpointConnectionNotifications VpcEndpointConnections
    VpcEndpointServiceConfigurations VpcEndpointServicePermissions VpcEndpointServices VpcEndpoints
    VpcPeeringConnections Vpcs VpnConcentrators VpnConnections VpnGateways`,
  Detach: `
    ClassicLinkVpc ImageWatermark InternetGateway NetworkInterface VerifiedAccessTrustProvider Volume VpnGateway`,
  Disable: `
    AddressTransfer AllowedImagesSettings ApplicationStatusCheckSuppression AwsNetworkPerformanceMetricSubscription
    CapacityManager EbsEncryptionByDefault FastLaunch FastSnapshotRestores Image ImageBlockPublicAccess
    ImageDeprecation ImageDeregistrationProtection InstanceSqlHaStandbyDetections IpamOrganizationAdminAccount
    IpamPolicy RouteServerPropagation SerialConsoleAccess SnapshotBlockPublicAccess
    TransitGatewayRouteTablePropagation VgwRoutePropagation VpcClassicLink VpcClassicLinkDnsSupport`,
  Disassociate: `
    Address ApplicationStatusCheck CapacityReservationBillingOwner ClientVpnTargetNetwork EnclaveCertificateIamRole
    IamInstanceProfile InstanceEventWindow IpamByoasn IpamResourceDiscovery NatGatewayAddress
    NetworkingFlexCostAllocationPolicy RouteServer RouteTable SecurityGroupVpc SubnetCidrBlock
    TransitGatewayMulticastDomain TransitGatewayPolicyTable TransitGatewayRouteTable TrunkInterface VpcCidrBlock`,
  Enable: `
    AddressTransfer AllowedImagesSettings ApplicationStatusCheckSuppression AwsNetworkPerformanceMetricSubscription
    CapacityManager EbsEncryptionByDefault FastLaunch FastSnapshotRestores Image ImageBlockPublicAccess
    ImageDeprecation ImageDeregistrationProtection InstanceSqlHaStandbyDetections IpamInternetRegistryAssociation
    IpamOrganizationAdminAccount IpamPolicy ReachabilityAnalyzerOrganizationSharing RouteServerPropagation
    SerialConsoleAccess SnapshotBlockPublicAccess TransitGatewayRouteTablePropagation VgwRoutePropagation VolumeIO
    VpcClassicLink VpcClassicLinkDnsSupport`,
  Export: `
    ClientVpnClientCertificateRevocationList ClientVpnClientConfiguration Image TransitGatewayRoutes
    VerifiedAccessInstanceClientConfiguration`,
  Get: `
    ActiveVpnTunnelStatus AllowedImagesSettings AssociatedEnclaveCertificateIamRoles AssociatedIpv6PoolCidrs
    AwsNetworkPerformanceData CapacityManagerAttributes CapacityManagerMetricData CapacityManagerMetricDimensions
    CapacityManagerMonitoredTagKeys CapacityManagerSupportabilityScores CapacityReservationUsage
    ClientVpnEndpointAuthorizationPolicy CoipPoolUsage ConsoleOutput ConsoleScreenshot
    DeclarativePoliciesReportSummary DefaultCreditSpecification EbsDefaultKmsKeyId EbsEncryptionByDefault
    EnabledIpamPolicy FlowLogsIntegrationTemplate GroupsForCapacityReservation HostReservationPurchasePreview
    ImageAncestry ImageBlockPublicAccessState ImageFindings InstanceMetadataDefaults InstanceTpmEkPub
    InstanceTypesFromInstanceRequirements InstanceUefiData IpamAddressHistory IpamDiscoveredAccounts
    IpamDiscoveredPublicAddresses IpamDiscoveredResourceCidrs IpamDiscoveredRoutes IpamInternetRegistryAssociationAsns
    IpamInternetRegistryAssociationCidrs IpamPolicyAllocationRules IpamPolicyOrganizationTargets IpamPoolAllocations
    IpamPoolCidrs IpamPrefixListResolverRules IpamPrefixListResolverVersionEntries IpamPrefixListResolverVersions
    IpamResourceCidrs IpamRouteOriginAuthorizations IpamRouteProtectionFindings IpamRoutingPolicyRegistrationDeltas
    IpamRoutingPolicyRegistrations LaunchTemplateData ManagedPrefixListAssociations ManagedPrefixListEntries
    ManagedResourceVisibility NetworkInsightsAccessScopeAnalysisFindings NetworkInsightsAccessScopeContent
    NetworkingFlexCostAllocationPolicyVersions PasswordData ReservedInstancesExchangeQuote RouteServerAssociations
    RouteServerPropagations RouteServerRoutingDatabase SecurityGroupsForVpc SerialConsoleAccessStatus
    SnapshotBlockPublicAccessState SpotPlacementScores SubnetCidrReservations TransitGatewayAttachmentNatConfiguration
    TransitGatewayAttachmentPropagations TransitGatewayMeteringPolicyEntries TransitGatewayMulticastDomainAssociations
    TransitGatewayPolicyTableAssociations TransitGatewayPolicyTableEntries TransitGatewayPrefixListReferences
    TransitGatewayRouteTableAssociations TransitGatewayRouteTablePropagations VerifiedAccessEndpointPolicy
    VerifiedAccessEndpointTargets VerifiedAccessGroupPolicy VpcResourcesBlockingEncryptionEnforcement
    VpnConnectionDeviceSampleConfiguration VpnConnectionDeviceTypes VpnTunnelReplacementStatus`,
  Import: `
    ClientVpnClientCertificateRevocationList Image Instance KeyPair Snapshot Volume`,
  List: `
    ImagesInRecycleBin SnapshotsInRecycleBin VolumesInRecycleBin`,
  Lock: `
    Snapshot`,
  Modify: `
    AccountVpcEncryptionControl AddressAttribute ApplicationStatusCheck AvailabilityZoneGroup CapacityReservation
    CapacityReservationFleet ClientVpnEndpoint ClientVpnEndpointAuthorizationPolicy DefaultCreditSpecification
    EbsDefaultKmsKeyId Fleet FpgaImageAttribute Hosts IdFormat IdentityIdFormat ImageAttribute InstanceAttribute
    InstanceCapacityReservationAttributes InstanceConnectEndpoint InstanceCpuOptions InstanceCreditSpecification
    InstanceEventStartTime InstanceEventWindow InstanceMaintenanceOptions InstanceMetadataDefaults
    InstanceMetadataOptions InstanceNetworkPerformanceOptions InstancePlacement Ipam IpamPolicyAllocationRules
    IpamPool IpamPoolAllocation IpamPrefixListResolver IpamPrefixListResolverTarget IpamResourceCidr
    IpamResourceDiscovery IpamRoutingPolicyRegistration IpamScope LaunchTemplate LocalGatewayRoute ManagedPrefixList
    ManagedResourceVisibility MetricCategory NetworkInterfaceAttribute NetworkingFlexCostAllocationPolicy
    PrivateDnsNameOptions PublicIpDnsNameOptions ReservedInstances RouteServer SecurityGroupRules SnapshotAttribute
    SnapshotTier SpotFleetRequest SubnetAttribute TrafficMirrorFilterNetworkServices TrafficMirrorFilterRule
    TrafficMirrorSession TransitGateway TransitGatewayAttachmentNatConfiguration TransitGatewayMeteringPolicy
    TransitGatewayPolicyTableEntry TransitGatewayPrefixListReference TransitGatewayVpcAttachment
    VerifiedAccessEndpoint VerifiedAccessEndpointPolicy VerifiedAccessGroup VerifiedAccessGroupPolicy
    VerifiedAccessInstance VerifiedAccessInstanceLoggingConfiguration VerifiedAccessTrustProvider Volume
    VolumeAttribute VpcAttribute VpcBlockPublicAccessExclusion VpcBlockPublicAccessOptions VpcEncryptionControl
    VpcEndpoint VpcEndpointConnectionNotification VpcEndpointPayerResponsibility VpcEndpointServiceConfiguration
    VpcEndpointServicePayerResponsibility VpcEndpointServicePermissions VpcPeeringConnectionOptions VpcTenancy
    VpnConnection VpnConnectionOptions VpnTunnelCertificate VpnTunnelOptions`,
  Monitor: `
    Instances`,
  Move: `
    AddressToVpc ByoipCidrToIpam CapacityReservationInstances`,
  Provision: `
    ByoipCidr IpamByoasn IpamPoolCidr PublicIpv4PoolCidr`,
  Purchase: `
    CapacityBlock CapacityBlockExtension HostReservation ReservedInstancesOffering ScheduledInstances`,
  Reboot: `
    Instances`,
  Register: `
    Image InstanceEventNotificationAttributes TransitGatewayMulticastGroupMembers TransitGatewayMulticastGroupSources`,
  Reject: `
    CapacityReservationBillingOwnership TransitGatewayClientVpnAttachment TransitGatewayMulticastDomainAssociations
    TransitGatewayPeeringAttachment TransitGatewayVpcAttachment VpcEndpointConnections VpcPeeringConnection`,
  Release: `
    Address Hosts IpamPoolAllocation`,
  Replace: `
    IamInstanceProfileAssociation ImageCriteriaInAllowedImagesSettings ImageInstanceTypeSpecification
    NetworkAclAssociation NetworkAclEntry Route RouteTableAssociation TransitGatewayRoute VpnTunnel`,
  Report: `
    InstanceStatus`,
  Request: `
    SpotFleet SpotInstances`,
  Reset: `
    AddressAttribute EbsDefaultKmsKeyId FpgaImageAttribute ImageAttribute InstanceAttribute NetworkInterfaceAttribute
    SnapshotAttribute`,
  Restore: `
    AddressToClassic ImageFromRecycleBin ManagedPrefixListVersion SnapshotFromRecycleBin SnapshotTier
    VolumeFromRecycleBin`,
  Revoke: `
    ClientVpnIngress SecurityGroupEgress SecurityGroupIngress`,
  Run: `
    Instances ScheduledInstances`,
  Search: `
    LocalGatewayRoutes TransitGatewayMulticastGroups TransitGatewayRoutes`,
  Send: `
    DiagnosticInterrupt`,
  Start: `
    DeclarativePoliciesReport Instances NetworkInsightsAccessScopeAnalysis NetworkInsightsAnalysis
    VpcEndpointServicePrivateDnsVerification`,
  Stop: `
    Instances`,
  Terminate: `
    ClientVpnConnections Instances`,
  Unassign: `
    Ipv6Addresses PrivateIpAddresses PrivateNatGatewayAddress`,
  Unlock: `
    Snapshot`,
  Unmonitor: `
    Instances`,
  Update: `
    CapacityManagerMonitoredTagKeys CapacityManagerOrganizationsAccess InterruptibleCapacityReservationAllocation
    SecurityGroupRuleDescriptionsEgress SecurityGroupRuleDescriptionsIngress`,
  Validate: `
    SecurityGroupQuotasForInterface`,
  Withdraw: `
    ByoipCidr`,
};

const KNOWN_ACTIONS: ReadonlySet<string> = new Set(
  Object.entries(NOUNS_BY_VERB).flatMap(([verb, nouns]) =>
    nouns
      .trim()
      .split(/\s+/)
      .map((noun) => verb + noun),
  ),
);

const KNOWN_STS_ACTIONS: ReadonlySet<string> = new Set([
  "AssumeRoleWithSAML",
  "AssumeRoleWithWebIdentity",
  "AssumeRoot",
  "DecodeAuthorizationMessage",
  "GetAccessKeyInfo",
  "GetDelegatedAccessToken",
  "GetFederationToken",
  "GetSessionToken",
  "GetWebIdentityToken",
]);

/** Whether AWS has the action, implemented here or not. */
export function isKnownAction(service: "ec2" | "sts", action: string): boolean {
  return (service === "ec2" ? KNOWN_ACTIONS : KNOWN_STS_ACTIONS).has(action);
}
